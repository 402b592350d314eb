#include "api/identity/resources.hpp"

namespace vitrine::api::identity {
namespace {

using model::ApplicationCredential;

UserId user_of(Context const& context) { return {context.param("user_id")}; }
model::CredentialId id_of(Context const& context) {
  return {context.param("application_credential_id")};
}

void write_credential(json::Writer& writer, Context const& context,
                      ApplicationCredential const& credential, std::string_view secret) {
  writer.begin_object().field("id", credential.id.text).field("name", credential.name);
  writer.field("description", credential.description);
  writer.field("project_id", credential.project.text).field("user_id", credential.user.text);
  writer.field("unrestricted", credential.unrestricted).key("roles").begin_array();
  for (auto const& role : credential.roles) {
    writer.begin_object().field("id", role.id.text).field("name", role.name);
    writer.null_field("domain_id").end_object();
  }
  writer.end_array().key("expires_at");
  if (credential.expires_at) {
    writer.string(format_microseconds(*credential.expires_at));
  } else {
    writer.null();
  }
  if (!secret.empty()) writer.field("secret", secret);
  write_self(writer, context,
             "users/" + credential.user.text + "/application_credentials/" + credential.id.text);
  writer.end_object();
}

Reply credential_reply(int status, Context const& context, ApplicationCredential const& credential,
                       std::string_view secret) {
  return wrapped(status, "application_credential", [&](json::Writer& writer) {
    write_credential(writer, context, credential, secret);
  });
}

// A credential that is not unrestricted must not make or remove others: whoever steals it would
// outlive it.
Result<builtin::Session> unrestricted_session(Context const& context,
                                              builtin::Directory& directory) {
  if (context.by_access_key) {
    return error(Fault::forbidden, "An access key cannot manage application credentials.");
  }
  auto session = TRY(directory.tokens().inspect(context.head.header("X-Auth-Token").value_or("")));
  if (session.credential && !session.credential->unrestricted) {
    return error(Fault::forbidden,
                 "A restricted application credential cannot manage application credentials.");
  }
  return session;
}

Result<std::vector<std::string>> read_roles(Fields const& fields) {
  std::vector<std::string> out;
  auto const roles = TRY(fields.array("roles"));
  for (auto const& value : roles) {
    if (!value.is_object()) {
      return error(Fault::invalid_body, "roles must hold objects with id or name", "roles");
    }
    Fields const role(value.get_object(), "roles.");
    auto const id = TRY(role.text("id"));
    out.push_back(id ? *id : TRY(role.required_text("name")));
  }
  return out;
}

Result<std::optional<Time>> read_expiry(Fields const& fields) {
  auto const text = TRY(fields.text("expires_at"));
  if (!text) return std::optional<Time>();
  auto const time = parse_time(*text);
  if (!time) return error(Fault::invalid_value, "expires_at is not a time", "expires_at");
  return time;
}

Result<Reply> list(Context& context, Services&, builtin::Directory& directory) {
  auto const credentials =
      TRY(directory.application_credentials().list(user_of(context), filter_text(context, "name")));
  return listed(
      context, "application_credentials", credentials,
      [&](json::Writer& writer, auto const& one) { write_credential(writer, context, one, {}); });
}

Result<Reply> show(Context& context, Services&, builtin::Directory& directory) {
  auto const credential =
      TRY(directory.application_credentials().get(user_of(context), id_of(context)));
  return credential_reply(200, context, credential, {});
}

Result<Reply> create(Context& context, Services&, builtin::Directory& directory) {
  if (context.caller.project.empty()) {
    return error(Fault::forbidden, "The token is not scoped to a project.");
  }
  auto session = TRY(unrestricted_session(context, directory));
  auto const fields = TRY(Fields::of(context.body, "application_credential"));
  if (!TRY(fields.array("access_rules")).empty()) {
    return error(Fault::not_offered, "access_rules are not offered", "access_rules");
  }
  builtin::NewCredential wanted;
  wanted.user = context.caller.user;
  wanted.project = context.caller.project;
  wanted.name = TRY(fields.required_text("name"));
  wanted.description = TRY(fields.text("description")).value_or("");
  wanted.secret = TRY(fields.text("secret"));
  wanted.expires_at = TRY(read_expiry(fields));
  wanted.roles = TRY(read_roles(fields));
  wanted.token_roles = std::move(session.roles);
  wanted.unrestricted = TRY(fields.flag("unrestricted")).value_or(false);
  auto const created =
      TRY(directory.application_credentials().create(std::move(wanted), context.caller));
  return credential_reply(201, context, created.credential, created.secret);
}

Result<Reply> remove(Context& context, Services&, builtin::Directory& directory) {
  TRY(unrestricted_session(context, directory));
  TRY(directory.application_credentials().remove(user_of(context), id_of(context), context.caller));
  return empty_reply(204);
}

constexpr std::string_view kAll = "/v3/users/{user_id}/application_credentials";
constexpr std::string_view kOne =
    "/v3/users/{user_id}/application_credentials/{application_credential_id}";

} // namespace

Endpoint list_application_credentials() {
  return managed({.verb = Verb::get,
                  .path = kAll,
                  .name = "identity.v3.list_application_credentials",
                  .family = nullptr,
                  .action = "identity:list_application_credentials",
                  .errors = {Fault::forbidden},
                  .summary = "List the application credentials of a user.",
                  .query = {{"name", "Only the one of this name."}}},
                 list);
}

Endpoint create_application_credential() {
  return managed({.verb = Verb::post,
                  .path = kAll,
                  .name = "identity.v3.create_application_credential",
                  .family = nullptr,
                  .action = "identity:create_application_credential",
                  .audit = "identity.application_credential.create",
                  .errors = {Fault::invalid_body, Fault::invalid_value, Fault::not_offered,
                             Fault::forbidden, Fault::name_taken},
                  .summary = "Create an application credential for the project of the token; the "
                             "answer alone shows its secret.",
                  .takes_body = true,
                  .slow = true},
                 create);
}

Endpoint show_application_credential() {
  return managed({.verb = Verb::get,
                  .path = kOne,
                  .name = "identity.v3.show_application_credential",
                  .family = nullptr,
                  .action = "identity:get_application_credential",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Show an application credential."},
                 show);
}

Endpoint delete_application_credential() {
  return managed({.verb = Verb::delete_,
                  .path = kOne,
                  .name = "identity.v3.delete_application_credential",
                  .family = nullptr,
                  .action = "identity:delete_application_credential",
                  .audit = "identity.application_credential.delete",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Delete an application credential; its tokens are void at once."},
                 remove);
}

} // namespace vitrine::api::identity
