// Access keys, on the wire of Keystone's EC2 credentials: their secret is shown when they are made.
#include "api/identity/resources.hpp"

namespace vitrine::api::identity {
namespace {

using model::AccessKey;

UserId user_of(Context const& context) { return {context.param("user_id")}; }

void write_key(json::Writer& writer, Context const& context, AccessKey const& key,
               std::string_view secret) {
  writer.begin_object().field("access", key.id);
  if (!secret.empty()) writer.field("secret", secret);
  writer.field("user_id", key.user.text).field("tenant_id", key.project.text);
  writer.null_field("trust_id");
  write_self(writer, context, "users/" + key.user.text + "/credentials/OS-EC2/" + key.id);
  writer.end_object();
}

Reply key_reply(int status, Context const& context, AccessKey const& key, std::string_view secret) {
  return wrapped(status, "credential",
                 [&](json::Writer& writer) { write_key(writer, context, key, secret); });
}

// A key lasts until it is deleted and lends all roles of its user, so what proves less than the
// user must not make one, nor remove the key by which its owner would find out.
Result<> require_user(Context const& context, builtin::Directory& directory) {
  auto const refused =
      error(Fault::forbidden, "Access keys are managed with a token that a password gave.");
  if (context.by_access_key) return refused;
  auto const session =
      TRY(directory.tokens().inspect(context.head.header("X-Auth-Token").value_or("")));
  if (session.credential) return refused;
  return {};
}

Result<Reply> list(Context& context, Services&, builtin::Directory& directory) {
  auto const keys = TRY(directory.access_keys().list(user_of(context)));
  return listed(context, "credentials", keys, [&](json::Writer& writer, auto const& one) {
    write_key(writer, context, one, {});
  });
}

Result<Reply> show(Context& context, Services&, builtin::Directory& directory) {
  auto const key =
      TRY(directory.access_keys().get(user_of(context), context.param("credential_id")));
  return key_reply(200, context, key, {});
}

Result<Reply> create(Context& context, Services&, builtin::Directory& directory) {
  TRY(require_user(context, directory));
  Fields const fields(TRY(read_object(context.body)));
  auto const project = TRY(fields.required_text("tenant_id"));
  auto const made =
      TRY(directory.access_keys().create(user_of(context), {project}, {}, context.caller));
  return key_reply(201, context, made.key, made.secret);
}

Result<Reply> remove(Context& context, Services&, builtin::Directory& directory) {
  TRY(require_user(context, directory));
  TRY(directory.access_keys().remove(user_of(context), context.param("credential_id"),
                                     context.caller));
  return empty_reply(204);
}

constexpr std::string_view kAll = "/v3/users/{user_id}/credentials/OS-EC2";
constexpr std::string_view kOne = "/v3/users/{user_id}/credentials/OS-EC2/{credential_id}";

} // namespace

Endpoint list_access_keys() {
  return managed({.verb = Verb::get,
                  .path = kAll,
                  .name = "identity.v3.list_access_keys",
                  .family = nullptr,
                  .action = "identity:ec2_list_credentials",
                  .errors = {Fault::forbidden},
                  .summary = "List the access keys of a user."},
                 list);
}

Endpoint create_access_key() {
  return managed(
      {.verb = Verb::post,
       .path = kAll,
       .name = "identity.v3.create_access_key",
       .family = nullptr,
       .action = "identity:ec2_create_credential",
       .audit = "identity.access_key.create",
       .errors = {Fault::invalid_body, Fault::invalid_value, Fault::forbidden, Fault::not_found,
                  Fault::too_large},
       .summary = "Create an access key for a project; the answer alone shows its secret.",
       .takes_body = true},
      create);
}

Endpoint show_access_key() {
  return managed({.verb = Verb::get,
                  .path = kOne,
                  .name = "identity.v3.show_access_key",
                  .family = nullptr,
                  .action = "identity:ec2_get_credential",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Show an access key."},
                 show);
}

Endpoint delete_access_key() {
  return managed({.verb = Verb::delete_,
                  .path = kOne,
                  .name = "identity.v3.delete_access_key",
                  .family = nullptr,
                  .action = "identity:ec2_delete_credential",
                  .audit = "identity.access_key.delete",
                  .errors = {Fault::forbidden, Fault::not_found},
                  .summary = "Delete an access key; it signs nothing any more."},
                 remove);
}

} // namespace vitrine::api::identity
