#include "api/identity/token_body.hpp"
#include "service/access.hpp"

namespace vitrine::api::identity {
namespace {

Result<std::string_view> subject_of(Context const& context) {
  auto const subject = context.head.header("X-Subject-Token");
  if (!subject || subject->empty()) {
    return error(Fault::invalid_value, "The header X-Subject-Token is missing.");
  }
  return *subject;
}

// The policy may compare the caller with the user of the token asked about.
Result<builtin::Session> allowed_session(Context const& context, Services const& services,
                                         builtin::Directory& directory, std::string_view action) {
  auto const subject = TRY(subject_of(context));
  auto session = TRY(directory.tokens().inspect(subject));
  TRY(services.access.require(services.access.action(action), context.caller, session.user.id));
  return session;
}

Result<Reply> show(Context& context, Services& services, builtin::Directory& directory) {
  auto const session =
      TRY(allowed_session(context, services, directory, "identity:validate_token"));
  auto const subject = TRY(subject_of(context));
  auto reply = token_reply(200, session, context, services);
  reply.headers.push_back({"X-Subject-Token", std::string(subject)});
  return reply;
}

Result<Reply> revoke(Context& context, Services& services, builtin::Directory& directory) {
  TRY(allowed_session(context, services, directory, "identity:revoke_token"));
  auto const subject = TRY(subject_of(context));
  TRY(directory.tokens().revoke(subject, context.caller));
  return empty_reply(204);
}

} // namespace

Endpoint show_token() {
  return managed({.verb = Verb::get,
                  .path = "/v3/auth/tokens",
                  .name = "identity.v3.show_token",
                  .family = nullptr,
                  .errors = {Fault::invalid_value, Fault::forbidden, Fault::not_found},
                  .summary = "Check the token in X-Subject-Token and tell what it stands for.",
                  .query = {{"nocatalog", "Leave the catalog out."}}},
                 show);
}

Endpoint revoke_token() {
  return managed({.verb = Verb::delete_,
                  .path = "/v3/auth/tokens",
                  .name = "identity.v3.revoke_token",
                  .family = nullptr,
                  .errors = {Fault::invalid_value, Fault::forbidden, Fault::not_found},
                  .summary = "Revoke the token in X-Subject-Token."},
                 revoke);
}

} // namespace vitrine::api::identity
