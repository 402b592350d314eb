#include "api/identity/token_body.hpp"
#include "ops/metrics.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace vitrine::api::identity {
namespace {

using builtin::InDomain;
using builtin::Reference;
using builtin::WantedScope;

Result<Reference> read_reference(Fields const& fields) {
  Reference out;
  out.id = TRY(fields.text("id")).value_or("");
  out.name = TRY(fields.text("name")).value_or("");
  if (out.empty()) TRY(fields.required_text("name"));
  return out;
}

// A user or project: an id says all, a name needs its domain.
Result<InDomain> read_in_domain(Fields const& fields) {
  InDomain out;
  out.self = TRY(read_reference(fields));
  if (out.self.id.empty()) {
    auto const domain = TRY(fields.required_object("domain"));
    out.domain = TRY(read_reference(domain));
  }
  return out;
}

Result<builtin::PasswordProof> read_password(Fields const& identity) {
  auto const method = TRY(identity.required_object("password"));
  auto const user = TRY(method.required_object("user"));
  builtin::PasswordProof proof;
  proof.user = TRY(read_in_domain(user));
  proof.password = TRY(user.required_text("password"));
  return proof;
}

Result<builtin::CredentialProof> read_credential(Fields const& identity) {
  auto const method = TRY(identity.required_object("application_credential"));
  builtin::CredentialProof proof;
  proof.credential = TRY(read_reference(method));
  proof.secret = TRY(method.required_text("secret"));
  if (proof.credential.id.empty()) {
    auto const user = TRY(method.required_object("user"));
    proof.user = TRY(read_in_domain(user));
  }
  return proof;
}

Result<WantedScope> read_scope(Fields const& auth) {
  using enum WantedScope::Kind;
  auto const* scope = auth.find("scope");
  if (scope == nullptr) return WantedScope{};
  if (scope->is_string() && json::view(scope->get_string()) == "unscoped") {
    return WantedScope{.kind = none, .target = {}};
  }
  auto const fields = TRY(auth.required_object("scope"));
  constexpr std::array kinds = {"project", "domain", "system", "unscoped"};
  auto const given =
      std::ranges::count_if(kinds, [&](auto const* kind) { return fields.find(kind) != nullptr; });
  if (given > 1) {
    return error(Fault::invalid_body, "auth.scope must name one scope only", "auth.scope");
  }
  if (auto const wanted = TRY(fields.object("project"))) {
    auto target = TRY(read_in_domain(*wanted));
    return WantedScope{.kind = project, .target = std::move(target)};
  }
  if (auto const wanted = TRY(fields.object("domain"))) {
    auto target = TRY(read_reference(*wanted));
    return WantedScope{.kind = domain, .target = {.self = std::move(target), .domain = {}}};
  }
  if (fields.find("unscoped") != nullptr) return WantedScope{.kind = none, .target = {}};
  if (fields.find("system") != nullptr) {
    return error(Fault::unauthenticated, "Nobody holds a role on the system.");
  }
  return error(Fault::invalid_body, "auth.scope must name a project or a domain", "auth.scope");
}

Result<builtin::Login> read_login(Context const& context) {
  auto const auth = TRY(Fields::of(context.body, "auth"));
  auto const identity = TRY(auth.required_object("identity"));
  auto const methods = TRY(identity.array("methods"));
  if (methods.empty()) {
    return error(Fault::invalid_body, "auth.identity.methods is a required property",
                 "auth.identity.methods");
  }
  builtin::Login login;
  login.address = context.caller.address;
  for (auto const& value : methods) {
    auto const method = value.is_string() ? json::view(value.get_string()) : std::string_view();
    if (method == "password") {
      login.password = TRY(read_password(identity));
    } else if (method == "token") {
      auto const shown = TRY(identity.required_object("token"));
      login.token = TRY(shown.required_text("id"));
    } else if (method == "application_credential") {
      login.application_credential = TRY(read_credential(identity));
    } else {
      return error(Fault::unauthenticated, "Attempted to authenticate with an unsupported method.");
    }
  }
  login.scope = TRY(read_scope(auth));
  return login;
}

// What the token rests on; of several methods the one that proves most.
std::string_view method_of(builtin::Login const& login) {
  if (login.password) return "password";
  return login.application_credential ? "application_credential" : "token";
}

Result<Reply> run(Context& context, Services& services, builtin::Directory& directory) {
  auto const login = TRY(read_login(context));
  auto const logged_in = directory.tokens().log_in(login);
  if (!logged_in) {
    if (logged_in.error().fault == Fault::unauthenticated) {
      services.metrics.counter(ops::Metric::login_failures).add();
    }
    return Error(logged_in.error());
  }
  auto const& issued = *logged_in;
  services.metrics.counter(ops::Metric::tokens_issued, {method_of(login)}).add();
  auto reply = token_reply(201, issued.session, context, services);
  reply.headers.push_back({"X-Subject-Token", issued.text});
  return reply;
}

} // namespace

Endpoint log_in() {
  return open({.verb = Verb::post,
               .path = "/v3/auth/tokens",
               .name = "identity.v3.log_in",
               .family = nullptr,
               .errors = {Fault::empty_body, Fault::invalid_body, Fault::unauthenticated},
               .summary = "Get a token by password, by another token or by application credential.",
               .takes_body = true,
               .slow = true,
               .query = {{"nocatalog", "Leave the catalog out."}}},
              run);
}

} // namespace vitrine::api::identity
