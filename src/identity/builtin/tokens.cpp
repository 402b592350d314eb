#include "identity/builtin/tokens.hpp"

#include "identity/builtin/core.hpp"
#include "store/metadata/projects.hpp"
#include "store/metadata/tokens.hpp"
#include "store/metadata/users.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace vitrine::identity::builtin {
namespace {

using store::Connection;

Error no_good() { return error(Fault::unauthenticated); }

Result<std::optional<model::Domain>> find_domain(Connection& connection, Reference const& domain) {
  store::Domains domains(connection);
  return domain.id.empty() ? domains.find_named(domain.name) : domains.find({domain.id});
}

// A user as named in a request. The key is the same for every way to name one, and for one who does
// not exist as for one who does: else the limit would tell which of both it is.
struct NamedUser {
  std::optional<model::User> user;
  std::string key;
};

Result<NamedUser> find_user(Connection& connection, InDomain const& named) {
  store::Users users(connection);
  NamedUser out;
  if (!named.self.id.empty()) {
    out.user = TRY(users.find({named.self.id}));
    out.key = out.user ? login_key(out.user->domain, out.user->name) : "id\n" + named.self.id;
    return out;
  }
  auto const domain = TRY(find_domain(connection, named.domain));
  if (domain) out.user = TRY(users.find_named(domain->id, named.self.name));
  out.key = login_key(domain ? domain->id : DomainId{named.domain.text()}, named.self.name);
  return out;
}

Result<std::optional<model::Project>> find_project(Connection& connection,
                                                   InDomain const& project) {
  store::Projects projects(connection);
  if (!project.self.id.empty()) return projects.find({project.self.id});
  auto const domain = TRY(find_domain(connection, project.domain));
  if (!domain) return std::optional<model::Project>();
  return projects.find_named(domain->id, project.self.name);
}

// What one read tells of a secret and whose it is.
struct Known {
  std::optional<model::User> user;
  std::optional<model::ApplicationCredential> credential;
  std::optional<std::string> hash;
  std::string limit_key; ///< what failed attempts are counted by
};

Result<Known> known_user(Connection& connection, InDomain const& named) {
  auto found = TRY(find_user(connection, named));
  Known known{.user = std::move(found.user),
              .credential = {},
              .hash = {},
              .limit_key = std::move(found.key)};
  if (known.user) known.hash = TRY(store::Users(connection).password_hash(known.user->id));
  return known;
}

Result<Known> known_credential(Connection& connection, CredentialProof const& proof) {
  store::ApplicationCredentials credentials(connection);
  Known known;
  if (!proof.credential.id.empty()) {
    known.credential = TRY(credentials.find({proof.credential.id}));
    if (known.credential) known.user = TRY(store::Users(connection).find(known.credential->user));
    known.limit_key = "credential\n" + proof.credential.id;
  } else {
    auto found = TRY(find_user(connection, proof.user));
    known.user = std::move(found.user);
    known.limit_key = "credential\n" + found.key + "\n" + proof.credential.name;
    if (known.user) {
      known.credential = TRY(credentials.find_named(known.user->id, proof.credential.name));
    }
  }
  if (known.credential) known.hash = TRY(credentials.secret_hash(known.credential->id));
  return known;
}

Result<model::Scope> choose_scope(Connection& connection, WantedScope const& wanted) {
  switch (wanted.kind) {
  case WantedScope::Kind::project: {
    auto const project = TRY(find_project(connection, wanted.target));
    if (!project) return no_good();
    return model::Scope::of(project->id);
  }
  case WantedScope::Kind::domain: {
    auto const domain = TRY(find_domain(connection, wanted.target.self));
    if (!domain) return no_good();
    return model::Scope::of(domain->id);
  }
  case WantedScope::Kind::by_default:
  case WantedScope::Kind::none: break;
  }
  return model::Scope{};
}

// The token as a session, in the scope that is wanted.
Result<Session> enter(Connection& connection, Token token, WantedScope const& wanted, Time now) {
  if (!token.credential.empty()) return resolve(connection, std::move(token), now);
  token.scope = TRY(choose_scope(connection, wanted));
  if (wanted.kind == WantedScope::Kind::by_default) {
    auto const user = TRY(store::Users(connection).find(token.user));
    if (user && !user->default_project.empty()) {
      auto at_home = token;
      at_home.scope = model::Scope::of(user->default_project);
      auto session = resolve(connection, std::move(at_home), now);
      if (session || session.error().fault != Fault::unauthenticated) return session;
    }
  }
  return resolve(connection, std::move(token), now);
}

// No good to be shown a token for the one who may ask about it: it does not exist.
Result<Session> found(Result<Session> session) {
  if (!session && session.error().fault == Fault::unauthenticated) {
    return error(Fault::not_found, "Could not find token.");
  }
  return session;
}

} // namespace

struct Tokens::Proven {
  Time began;
  UserId user; ///< empty: nothing is proven yet
  std::uint8_t methods{0};
  std::optional<Token> parent; ///< of the method token
  model::CredentialId credential;
  model::Scope credential_scope;

  Result<> agree(UserId const& other, Method method) {
    if (!user.empty() && user != other) return no_good();
    user = other;
    methods = static_cast<std::uint8_t>(methods | static_cast<std::uint8_t>(method));
    return {};
  }
};

Result<std::shared_ptr<model::Caller const>> Tokens::caller_of(Shown const& shown) {
  auto const token = shown.token;
  auto const now = core_.clock.now();
  if (auto caller = core_.cache.find(token, now)) return caller;
  auto const generation = core_.cache.generation();
  auto const session =
      TRY(core_.read([&](Connection& connection) { return resolve_text(connection, token, now); }));
  auto caller = std::make_shared<model::Caller const>(to_caller(session, core_.options.rules));
  auto until = session.token.expires_at;
  if (session.credential && session.credential->expires_at) {
    until = std::min(until, *session.credential->expires_at);
  }
  core_.cache.keep(token, caller, now, until, generation);
  return caller;
}

std::shared_ptr<model::Caller const> Tokens::known_caller(Shown const& shown) {
  return core_.cache.find_first(shown.token, core_.clock.now());
}

void Tokens::forget_callers() noexcept { core_.forget_callers(); }

std::string Tokens::auth_url(std::string_view base_url) const {
  return std::string(base_url) + "/v3";
}

Result<> Tokens::prove_password(PasswordProof const& proof, std::string const& address,
                                Proven& proven) {
  auto const known =
      TRY(core_.read([&](Connection& connection) { return known_user(connection, proof.user); }));
  auto const& key = known.limit_key;
  auto const& user = known.user ? known.user->name : std::string();
  if (!core_.admit_login(key, user, address, proven.began)) return no_good();
  if (!core_.passwords.verify(known.hash, proof.password)) return no_good();
  core_.limiter.forgive(key, address);
  return proven.agree(known.user->id, Method::password);
}

Result<> Tokens::prove_token(std::string const& text, Proven& proven) {
  auto session = TRY(core_.read(
      [&](Connection& connection) { return resolve_text(connection, text, proven.began); }));
  proven.parent = std::move(session.token);
  proven.methods = static_cast<std::uint8_t>(proven.methods | proven.parent->methods);
  return proven.agree(session.user.id, Method::token);
}

Result<> Tokens::prove_credential(CredentialProof const& proof, std::string const& address,
                                  Proven& proven) {
  auto const known =
      TRY(core_.read([&](Connection& connection) { return known_credential(connection, proof); }));
  auto const& key = known.limit_key;
  auto const& user = known.user ? known.user->name : std::string();
  if (!core_.admit_login(key, user, address, proven.began)) return no_good();
  if (!core_.passwords.verify(known.hash, proof.secret)) return no_good();
  core_.limiter.forgive(key, address);
  proven.credential = known.credential->id;
  proven.credential_scope = model::Scope::of(known.credential->project);
  return proven.agree(known.credential->user, Method::application_credential);
}

Result<Issued> Tokens::log_in(Login const& login) {
  // What voids tokens after this moment voids the new one too: it may rest on what was true before.
  Proven proven{};
  proven.began = core_.clock.now();
  if (login.password) TRY(prove_password(*login.password, login.address, proven));
  if (login.token) TRY(prove_token(*login.token, proven));
  if (login.application_credential) {
    TRY(prove_credential(*login.application_credential, login.address, proven));
  }
  if (proven.user.empty()) return no_good();
  Token token{.methods = proven.methods,
              .user = proven.user,
              .scope = proven.credential_scope,
              .issued_at = proven.began,
              .expires_at =
                  proven.began + core_.options.token_lifetime_seconds * kMicrosecondsPerSecond,
              .audit_id = new_audit_id(),
              .parent_audit_id = {},
              .credential = proven.credential};
  bool const elsewhere = login.scope.kind != WantedScope::Kind::by_default;
  if (proven.parent) {
    if (!proven.parent->credential.empty()) {
      if (elsewhere) return error(Fault::forbidden, "The token is bound to its scope.");
      token.credential = proven.parent->credential;
      token.scope = proven.parent->scope;
    }
    token.parent_audit_id = proven.parent->parent_audit_id.empty() ? proven.parent->audit_id
                                                                   : proven.parent->parent_audit_id;
    token.expires_at = proven.parent->expires_at; // a chain of tokens ends with its first
  }
  if (!proven.credential.empty() && elsewhere) return no_good();
  return core_.read([&](Connection& connection) -> Result<Issued> {
    auto session = TRY(enter(connection, token, login.scope, proven.began));
    auto const key = TRY(store::SigningKeys(connection).newest());
    if (!key) return error(Fault::internal);
    auto text = seal(session.token, *key);
    return Issued{std::move(text), std::move(session)};
  });
}

Result<Session> Tokens::inspect(std::string_view token) {
  auto const now = core_.clock.now();
  return core_.read(
      [&](Connection& connection) { return found(resolve_text(connection, token, now)); });
}

Result<> Tokens::revoke(std::string_view token, model::Caller const& by) {
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    auto const revoked = TRY(found(resolve_text(connection, token, now))).token;
    TRY(store::Tokens(connection).revoke(revoked.audit_id, revoked.expires_at, now));
    model::IdentityChange const event{model::audit::token_delete,
                                      now,
                                      by,
                                      {.type = model::IdentityTarget::Type::token,
                                       .id = revoked.audit_id,
                                       .name = "",
                                       .user = revoked.user.text,
                                       .scope = revoked.scope}};
    return store::Audit(connection).record(event);
  });
}

Result<> Tokens::rotate_keys(bool void_old, model::Caller const& by) {
  auto const now = core_.clock.now();
  auto const secret = new_signing_secret();
  auto const forget_before = void_old ? now + 1 : now + -kTokenLifetimeMaxUs;
  return core_.write([&](Connection& connection) -> Result<> {
    store::SigningKeys keys(connection);
    TRY(keys.rotate(secret, now, forget_before));
    auto const id = std::to_string(TRY(keys.newest()).value().id);
    std::array<std::string_view, 2> const changed{"key", "tokens"};
    model::IdentityChange const event{model::audit::key_update,
                                      now,
                                      by,
                                      {.type = model::IdentityTarget::Type::key,
                                       .id = id,
                                       .name = "",
                                       .changed = std::span(changed).first(void_old ? 2 : 1)}};
    return store::Audit(connection).record(event);
  });
}

} // namespace vitrine::identity::builtin
