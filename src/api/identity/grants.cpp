#include "api/identity/resources.hpp"

#include <algorithm>

namespace vitrine::api::identity {
namespace {

struct Target {
  UserId user;
  model::Scope scope;
};

bool is_on_project(Context const& context) {
  return std::ranges::any_of(context.path, [](auto const& p) { return p.first == "project_id"; });
}

Target target_of(Context const& context) {
  auto const scope = is_on_project(context)
                         ? model::Scope::of(ProjectId{context.param("project_id")})
                         : model::Scope::of(DomainId{context.param("domain_id")});
  return {.user = {context.param("user_id")}, .scope = scope};
}

model::RoleId role_of(Context const& context) { return {context.param("role_id")}; }

Result<Reply> list(Context& context, Services&, builtin::Directory& directory) {
  auto const target = target_of(context);
  auto const roles = TRY(directory.roles().held(target.user, target.scope));
  return listed(context, "roles", roles,
                [&](json::Writer& writer, auto const& one) { write_role(writer, context, one); });
}

Result<Reply> check(Context& context, Services&, builtin::Directory& directory) {
  auto const target = target_of(context);
  auto const role = TRY(directory.roles().get(role_of(context)));
  auto const roles = TRY(directory.roles().held(target.user, target.scope));
  if (std::ranges::find(roles, role.id, &model::Role::id) == roles.end()) {
    return error(Fault::not_found, "Could not find role assignment: " + role.id.text + ".");
  }
  return empty_reply(204);
}

Result<Reply> grant(Context& context, Services&, builtin::Directory& directory) {
  auto const target = target_of(context);
  TRY(directory.roles().grant(target.user, target.scope, role_of(context), context.caller));
  return empty_reply(204);
}

Result<Reply> revoke(Context& context, Services&, builtin::Directory& directory) {
  auto const target = target_of(context);
  TRY(directory.roles().revoke(target.user, target.scope, role_of(context), context.caller));
  return empty_reply(204);
}

std::string_view audit_of(Verb verb) {
  if (verb == Verb::put) return "identity.role_assignment.create";
  return verb == Verb::delete_ ? "identity.role_assignment.delete" : "";
}

Endpoint grant_endpoint(Verb verb, std::string_view path, std::string_view name,
                        std::string_view action, std::string_view summary, Run run) {
  return managed({.verb = verb,
                  .path = path,
                  .name = name,
                  .family = nullptr,
                  .action = action,
                  .audit = audit_of(verb),
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = summary},
                 std::move(run));
}

constexpr std::string_view kProjectRoles = "/v3/projects/{project_id}/users/{user_id}/roles";
constexpr std::string_view kProjectRole =
    "/v3/projects/{project_id}/users/{user_id}/roles/{role_id}";
constexpr std::string_view kDomainRoles = "/v3/domains/{domain_id}/users/{user_id}/roles";
constexpr std::string_view kDomainRole = "/v3/domains/{domain_id}/users/{user_id}/roles/{role_id}";

} // namespace

Endpoint list_project_grants() {
  return grant_endpoint(Verb::get, kProjectRoles, "identity.v3.list_project_grants",
                        "identity:list_grants", "List the roles given to a user on a project.",
                        list);
}

Endpoint check_project_grant() {
  return grant_endpoint(Verb::get, kProjectRole, "identity.v3.check_project_grant",
                        "identity:check_grant", "Ask whether a user was given a role on a project.",
                        check);
}

Endpoint grant_on_project() {
  return grant_endpoint(Verb::put, kProjectRole, "identity.v3.grant_on_project",
                        "identity:create_grant", "Give a user a role on a project.", grant);
}

Endpoint revoke_on_project() {
  return grant_endpoint(Verb::delete_, kProjectRole, "identity.v3.revoke_on_project",
                        "identity:revoke_grant",
                        "Take a role on a project from a user; voids their tokens for it.", revoke);
}

Endpoint list_domain_grants() {
  return grant_endpoint(Verb::get, kDomainRoles, "identity.v3.list_domain_grants",
                        "identity:list_grants", "List the roles given to a user on a domain.",
                        list);
}

Endpoint check_domain_grant() {
  return grant_endpoint(Verb::get, kDomainRole, "identity.v3.check_domain_grant",
                        "identity:check_grant", "Ask whether a user was given a role on a domain.",
                        check);
}

Endpoint grant_on_domain() {
  return grant_endpoint(Verb::put, kDomainRole, "identity.v3.grant_on_domain",
                        "identity:create_grant", "Give a user a role on a domain.", grant);
}

Endpoint revoke_on_domain() {
  return grant_endpoint(Verb::delete_, kDomainRole, "identity.v3.revoke_on_domain",
                        "identity:revoke_grant",
                        "Take a role on a domain from a user; voids their tokens for it.", revoke);
}

} // namespace vitrine::api::identity
