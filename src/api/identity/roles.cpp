#include "api/identity/resources.hpp"

namespace vitrine::api::identity {
namespace {

model::RoleId role_of(Context const& context) { return {context.param("role_id")}; }

Reply role_reply(int status, Context const& context, model::Role const& role) {
  return wrapped(status, "role", [&](json::Writer& writer) { write_role(writer, context, role); });
}

Result<Reply> list(Context& context, Services&, builtin::Directory& directory) {
  auto roles = TRY(directory.roles().list(filter_text(context, "name")));
  if (filters_by_any(context, {"domain_id"})) roles.clear();
  return listed(context, "roles", roles,
                [&](json::Writer& writer, auto const& one) { write_role(writer, context, one); });
}

Result<Reply> show(Context& context, Services&, builtin::Directory& directory) {
  return role_reply(200, context, TRY(directory.roles().get(role_of(context))));
}

Result<Reply> create(Context& context, Services&, builtin::Directory& directory) {
  auto const fields = TRY(Fields::of(context.body, "role"));
  auto const name = TRY(fields.required_text("name"));
  auto const description = TRY(fields.text("description")).value_or("");
  return role_reply(201, context, TRY(directory.roles().create(name, description, context.caller)));
}

Result<Reply> change(Context& context, Services&, builtin::Directory& directory) {
  auto const fields = TRY(Fields::of(context.body, "role"));
  auto const name = TRY(fields.some_text("name"));
  auto const description = TRY(fields.text("description"));
  auto const role =
      TRY(directory.roles().change(role_of(context), name, description, context.caller));
  return role_reply(200, context, role);
}

Result<Reply> remove(Context& context, Services&, builtin::Directory& directory) {
  TRY(directory.roles().remove(role_of(context), context.caller));
  return empty_reply(204);
}

} // namespace

Endpoint list_roles() {
  return managed({.verb = Verb::get,
                  .path = "/v3/roles",
                  .name = "identity.v3.list_roles",
                  .family = nullptr,
                  .action = "identity:list_roles",
                  .errors = {Fault::forbidden},
                  .summary = "List roles.",
                  .query = {{"name", "Only the one of this name."},
                            {"domain_id", "None: roles are of no domain."}}},
                 list);
}

Endpoint create_role() {
  return managed(
      {.verb = Verb::post,
       .path = "/v3/roles",
       .name = "identity.v3.create_role",
       .family = nullptr,
       .action = "identity:create_role",
       .audit = "identity.role.create",
       .errors = {Fault::invalid_body, Fault::invalid_value, Fault::forbidden, Fault::name_taken},
       .summary = "Create a role, for policies of one's own.",
       .takes_body = true},
      create);
}

Endpoint show_role() {
  return managed({.verb = Verb::get,
                  .path = "/v3/roles/{role_id}",
                  .name = "identity.v3.show_role",
                  .family = nullptr,
                  .action = "identity:get_role",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Show a role."},
                 show);
}

Endpoint change_role() {
  return managed({.verb = Verb::patch,
                  .path = "/v3/roles/{role_id}",
                  .name = "identity.v3.change_role",
                  .family = nullptr,
                  .action = "identity:update_role",
                  .audit = "identity.role.update",
                  .errors = {Fault::invalid_body, Fault::invalid_value, Fault::forbidden,
                             Fault::not_found, Fault::name_taken},
                  .summary = "Change a role; built-in ones keep their name.",
                  .takes_body = true},
                 change);
}

Endpoint delete_role() {
  return managed({.verb = Verb::delete_,
                  .path = "/v3/roles/{role_id}",
                  .name = "identity.v3.delete_role",
                  .family = nullptr,
                  .action = "identity:delete_role",
                  .audit = "identity.role.delete",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Delete a role and all grants of it; built-in ones stay."},
                 remove);
}

} // namespace vitrine::api::identity
