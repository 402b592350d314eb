#include "api/identity/resources.hpp"

namespace vitrine::api::identity {
namespace {

UserId user_of(Context const& context) { return {context.param("user_id")}; }

Reply user_reply(int status, Context const& context, model::User const& user) {
  return wrapped(status, "user", [&](json::Writer& writer) { write_user(writer, context, user); });
}

Result<Reply> list(Context& context, Services&, builtin::Directory& directory) {
  auto users = TRY(directory.users().list({.domain = filter_text(context, "domain_id"),
                                           .name = filter_text(context, "name"),
                                           .enabled = filter_flag(context, "enabled")}));
  if (filters_by_any(context, {"idp_id", "protocol_id", "unique_id", "password_expires_at"})) {
    users.clear();
  }
  return listed(context, "users", users,
                [&](json::Writer& writer, auto const& one) { write_user(writer, context, one); });
}

Result<Reply> show(Context& context, Services&, builtin::Directory& directory) {
  return user_reply(200, context, TRY(directory.users().get(user_of(context))));
}

Result<Reply> create(Context& context, Services&, builtin::Directory& directory) {
  auto const fields = TRY(Fields::of(context.body, "user"));
  builtin::NewUser wanted;
  wanted.name = TRY(fields.required_text("name"));
  wanted.domain = TRY(read_domain(fields));
  wanted.password = TRY(fields.text("password"));
  wanted.description = TRY(fields.text("description")).value_or("");
  wanted.email = TRY(fields.text("email")).value_or("");
  wanted.default_project.text = TRY(fields.text("default_project_id")).value_or("");
  wanted.enabled = TRY(fields.flag("enabled")).value_or(true);
  return user_reply(201, context, TRY(directory.users().create(wanted, context.caller)));
}

Result<Reply> change(Context& context, Services&, builtin::Directory& directory) {
  auto const fields = TRY(Fields::of(context.body, "user"));
  auto const user = TRY(directory.users().get(user_of(context)));
  TRY(expect_fixed(fields, "id", user.id.text));
  TRY(expect_fixed(fields, "domain_id", user.domain.text));
  builtin::UserChange wanted;
  wanted.name = TRY(fields.some_text("name"));
  wanted.password = TRY(fields.text("password"));
  wanted.description = TRY(fields.text("description"));
  wanted.email = TRY(fields.text("email"));
  wanted.enabled = TRY(fields.flag("enabled"));
  if (auto project = TRY(fields.text("default_project_id"))) {
    wanted.default_project = ProjectId{std::move(*project)};
  }
  return user_reply(200, context,
                    TRY(directory.users().change(user_of(context), wanted, context.caller)));
}

Result<Reply> remove(Context& context, Services&, builtin::Directory& directory) {
  TRY(directory.users().remove(user_of(context), context.caller));
  return empty_reply(204);
}

Result<Reply> change_own_password(Context& context, Services&, builtin::Directory& directory) {
  auto const fields = TRY(Fields::of(context.body, "user"));
  auto const original = TRY(fields.required_text("original_password"));
  auto const wanted = TRY(fields.required_text("password"));
  TRY(directory.users().change_password(user_of(context), original, wanted, context.caller));
  return empty_reply(204);
}

Result<Reply> list_projects_of(Context& context, Services&, builtin::Directory& directory) {
  auto const projects = TRY(directory.projects().of_user(user_of(context)));
  return listed(context, "projects", projects, [&](json::Writer& writer, auto const& one) {
    write_project(writer, context, one);
  });
}

} // namespace

Endpoint list_users() {
  return managed({.verb = Verb::get,
                  .path = "/v3/users",
                  .name = "identity.v3.list_users",
                  .family = nullptr,
                  .action = "identity:list_users",
                  .errors = {Fault::forbidden},
                  .summary = "List users.",
                  .query = {{"name", "Only the one of this name."},
                            {"domain_id", "Only those of this domain."},
                            {"idp_id", "None: nobody is of another identity provider."},
                            {"protocol_id", "None."},
                            {"unique_id", "None."},
                            {"password_expires_at", "None: no password expires."},
                            {"enabled", "Only enabled or only disabled ones."}}},
                 list);
}

Endpoint create_user() {
  return managed(
      {.verb = Verb::post,
       .path = "/v3/users",
       .name = "identity.v3.create_user",
       .family = nullptr,
       .action = "identity:create_user",
       .audit = "identity.user.create",
       .errors = {Fault::invalid_body, Fault::invalid_value, Fault::forbidden, Fault::name_taken},
       .summary = "Create a user.",
       .takes_body = true,
       .slow = true},
      create);
}

Endpoint show_user() {
  return managed({.verb = Verb::get,
                  .path = "/v3/users/{user_id}",
                  .name = "identity.v3.show_user",
                  .family = nullptr,
                  .action = "identity:get_user",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Show a user."},
                 show);
}

Endpoint change_user() {
  return managed({.verb = Verb::patch,
                  .path = "/v3/users/{user_id}",
                  .name = "identity.v3.change_user",
                  .family = nullptr,
                  .action = "identity:update_user",
                  .audit = "identity.user.update",
                  .errors = {Fault::invalid_body, Fault::invalid_value, Fault::forbidden,
                             Fault::not_found, Fault::name_taken},
                  .summary = "Change a user; a new password and disabling void their tokens.",
                  .takes_body = true,
                  .slow = true},
                 change);
}

Endpoint delete_user() {
  return managed({.verb = Verb::delete_,
                  .path = "/v3/users/{user_id}",
                  .name = "identity.v3.delete_user",
                  .family = nullptr,
                  .action = "identity:delete_user",
                  .audit = "identity.user.delete",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Delete a user and void their tokens."},
                 remove);
}

Endpoint change_password() {
  return managed({.verb = Verb::post,
                  .path = "/v3/users/{user_id}/password",
                  .name = "identity.v3.change_password",
                  .family = nullptr,
                  .action = "identity:change_password",
                  .audit = "identity.user.update",
                  .errors = {Fault::invalid_body, Fault::unauthenticated, Fault::forbidden},
                  .summary = "Change one's own password; voids one's tokens.",
                  .takes_body = true,
                  .slow = true},
                 change_own_password);
}

Endpoint list_user_projects() {
  return managed({.verb = Verb::get,
                  .path = "/v3/users/{user_id}/projects",
                  .name = "identity.v3.list_user_projects",
                  .family = nullptr,
                  .action = "identity:list_user_projects",
                  .errors = {Fault::forbidden},
                  .summary = "List the projects in which a user holds a role."},
                 list_projects_of);
}

} // namespace vitrine::api::identity
