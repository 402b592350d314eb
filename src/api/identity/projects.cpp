#include "api/identity/resources.hpp"
#include "ops/config.hpp"
#include "service/access.hpp"

namespace vitrine::api::identity {
namespace {

ProjectId project_of(Context const& context) { return {context.param("project_id")}; }

Reply project_reply(int status, Context const& context, model::Project const& project) {
  return wrapped(status, "project",
                 [&](json::Writer& writer) { write_project(writer, context, project); });
}

// Projects lie flat below their domain, and have no tags.
Result<> expect_plain(Fields const& fields, DomainId const& domain) {
  TRY(expect_fixed(fields, "parent_id", domain.text));
  if (!TRY(fields.array("tags")).empty()) {
    return error(Fault::not_offered, "tags: projects have no tags here", "tags");
  }
  if (!TRY(fields.flag("is_domain")).value_or(false)) return {};
  return error(Fault::not_offered, "is_domain: projects that act as domains are not offered",
               "is_domain");
}

// A client that has an access key and no project id asks for the project of that name, or for that
// of its region, and expects one (contract: ims-api 2.7): the key is good for one.
Result<std::optional<model::Project>>
project_of_key(Context const& context, Services const& services, builtin::Directory& directory) {
  auto const name = filter_text(context, "name");
  if (!context.by_access_key || !name) return std::optional<model::Project>();
  auto project = TRY(directory.projects().get(context.caller.project));
  bool const meant = *name == project.name || *name == services.config.identity.region;
  return meant ? std::optional(std::move(project)) : std::nullopt;
}

Result<Reply> list(Context& context, Services& services, builtin::Directory& directory) {
  auto const write = [&](json::Writer& writer, auto const& one) {
    write_project(writer, context, one);
  };
  if (auto own = TRY(project_of_key(context, services, directory))) {
    return listed(context, "projects", std::vector{std::move(*own)}, write);
  }
  TRY(services.access.require(services.access.action("identity:list_projects"), context.caller));
  auto projects = TRY(directory.projects().list({.domain = filter_text(context, "domain_id"),
                                                 .name = filter_text(context, "name"),
                                                 .enabled = filter_flag(context, "enabled")}));
  if (auto const parent = filter_text(context, "parent_id")) {
    std::erase_if(projects, [&](auto const& one) { return one.domain.text != *parent; });
  }
  bool const domains = filter_flag(context, "is_domain").value_or(false);
  if (domains || filters_by_any(context, {"tags", "tags-any"})) projects.clear();
  return listed(context, "projects", projects, write);
}

Result<Reply> show(Context& context, Services&, builtin::Directory& directory) {
  return project_reply(200, context, TRY(directory.projects().get(project_of(context))));
}

Result<Reply> create(Context& context, Services&, builtin::Directory& directory) {
  auto const fields = TRY(Fields::of(context.body, "project"));
  builtin::NewProject wanted;
  wanted.name = TRY(fields.required_text("name"));
  wanted.domain = TRY(read_domain(fields));
  TRY(expect_plain(fields, wanted.domain));
  wanted.description = TRY(fields.text("description")).value_or("");
  wanted.enabled = TRY(fields.flag("enabled")).value_or(true);
  return project_reply(201, context, TRY(directory.projects().create(wanted, context.caller)));
}

Result<Reply> change(Context& context, Services&, builtin::Directory& directory) {
  auto const fields = TRY(Fields::of(context.body, "project"));
  auto const project = TRY(directory.projects().get(project_of(context)));
  TRY(expect_fixed(fields, "id", project.id.text));
  TRY(expect_fixed(fields, "domain_id", project.domain.text));
  TRY(expect_plain(fields, project.domain));
  builtin::ProjectChange wanted;
  wanted.name = TRY(fields.some_text("name"));
  wanted.description = TRY(fields.text("description"));
  wanted.enabled = TRY(fields.flag("enabled"));
  return project_reply(
      200, context, TRY(directory.projects().change(project_of(context), wanted, context.caller)));
}

Result<Reply> remove(Context& context, Services&, builtin::Directory& directory) {
  TRY(directory.projects().remove(project_of(context), context.caller));
  return empty_reply(204);
}

} // namespace

Endpoint list_projects() {
  return managed({.verb = Verb::get,
                  .path = "/v3/projects",
                  .name = "identity.v3.list_projects",
                  .family = nullptr,
                  .errors = {Fault::forbidden},
                  .summary = "List projects; an access key finds its own by name or region.",
                  .query = {{"name", "Only the one of this name."},
                            {"domain_id", "Only those of this domain."},
                            {"parent_id", "The same: projects lie flat below their domain."},
                            {"is_domain", "True: none."},
                            {"tags", "None: projects have no tags."},
                            {"tags-any", "None: projects have no tags."},
                            {"enabled", "Only enabled or only disabled ones."}}},
                 list);
}

Endpoint create_project() {
  return managed({.verb = Verb::post,
                  .path = "/v3/projects",
                  .name = "identity.v3.create_project",
                  .family = nullptr,
                  .action = "identity:create_project",
                  .audit = "identity.project.create",
                  .errors = {Fault::invalid_body, Fault::invalid_value, Fault::not_offered,
                             Fault::forbidden, Fault::name_taken},
                  .summary = "Create a project.",
                  .takes_body = true},
                 create);
}

Endpoint show_project() {
  return managed({.verb = Verb::get,
                  .path = "/v3/projects/{project_id}",
                  .name = "identity.v3.show_project",
                  .family = nullptr,
                  .action = "identity:get_project",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Show a project."},
                 show);
}

Endpoint change_project() {
  return managed({.verb = Verb::patch,
                  .path = "/v3/projects/{project_id}",
                  .name = "identity.v3.change_project",
                  .family = nullptr,
                  .action = "identity:update_project",
                  .audit = "identity.project.update",
                  .errors = {Fault::invalid_body, Fault::invalid_value, Fault::not_offered,
                             Fault::forbidden, Fault::not_found, Fault::name_taken},
                  .summary = "Change a project; disabling it voids its tokens.",
                  .takes_body = true},
                 change);
}

Endpoint delete_project() {
  return managed({.verb = Verb::delete_,
                  .path = "/v3/projects/{project_id}",
                  .name = "identity.v3.delete_project",
                  .family = nullptr,
                  .action = "identity:delete_project",
                  .audit = "identity.project.delete",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Delete a project and void its tokens."},
                 remove);
}

} // namespace vitrine::api::identity
