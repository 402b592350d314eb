#include "api/identity/resources.hpp"

#include <fmt/format.h>

namespace vitrine::api::identity {
namespace {

// {"id"}, and with `include_names` the name, and for users and projects their domain.
void write_named(json::Writer& writer, std::string_view key, std::string_view id,
                 std::string_view name, model::Domain const* domain, bool with_names) {
  writer.key(key).begin_object().field("id", id);
  if (with_names) {
    writer.field("name", name);
    if (domain != nullptr) {
      writer.key("domain").begin_object();
      writer.field("id", domain->id.text).field("name", domain->name).end_object();
    }
  }
  writer.end_object();
}

void write_assignment(json::Writer& writer, Context const& context,
                      model::Assignment const& assignment, bool with_names) {
  bool const on_project = assignment.scope.kind == model::Scope::Kind::project;
  std::string_view const kind = on_project ? "project" : "domain";
  writer.begin_object().key("scope").begin_object();
  write_named(writer, kind, assignment.scope.id, assignment.scope_name,
              on_project ? &assignment.scope_domain : nullptr, with_names);
  writer.end_object();
  write_named(writer, "user", assignment.user.text, assignment.user_name, &assignment.user_domain,
              with_names);
  write_named(writer, "role", assignment.role.id.text, assignment.role.name, nullptr, with_names);
  writer.key("links").begin_object();
  writer.field("assignment",
               fmt::format("{}/v3/{}s/{}/users/{}/roles/{}", context.base_url, kind,
                           assignment.scope.id, assignment.user.text, assignment.role.id.text));
  writer.end_object().end_object();
}

Result<Reply> list(Context& context, Services&, builtin::Directory& directory) {
  builtin::AssignmentQuery query;
  if (auto id = filter_text(context, "user.id")) query.user = UserId{std::move(*id)};
  if (auto id = filter_text(context, "role.id")) query.role = model::RoleId{std::move(*id)};
  auto const project = filter_text(context, "scope.project.id");
  auto const domain = filter_text(context, "scope.domain.id");
  if (project && domain) {
    return error(Fault::invalid_query, "scope.project.id and scope.domain.id exclude each other");
  }
  if (project) query.scope = model::Scope::of(ProjectId{*project});
  if (domain) query.scope = model::Scope::of(DomainId{*domain});
  query.effective = filter_flag(context, "effective").value_or(false);
  auto const with_names = filter_flag(context, "include_names").value_or(false);
  auto assignments = TRY(directory.roles().assignments(query));
  // There are no groups, no system and no inheritance, so nothing is assigned by these.
  if (context.query.last("group.id") || context.query.last("scope.system") ||
      context.query.last("scope.OS-INHERIT:inherited_to")) {
    assignments.clear();
  }
  return listed(context, "role_assignments", assignments,
                [&](json::Writer& writer, auto const& one) {
                  write_assignment(writer, context, one, with_names);
                });
}

} // namespace

Endpoint list_role_assignments() {
  return managed({.verb = Verb::get,
                  .path = "/v3/role_assignments",
                  .name = "identity.v3.list_role_assignments",
                  .family = nullptr,
                  .action = "identity:list_role_assignments",
                  .errors = {Fault::invalid_query, Fault::forbidden},
                  .summary = "List who was given which role where.",
                  .query = {{"user.id", "Only of this user."},
                            {"role.id", "Only of this role."},
                            {"scope.project.id", "Only on this project."},
                            {"scope.domain.id", "Only on this domain."},
                            {"effective", "Implied roles too."},
                            {"include_names", "Names beside the ids."}}},
                 list);
}

} // namespace vitrine::api::identity
