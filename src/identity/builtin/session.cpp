#include "identity/builtin/session.hpp"

#include "identity/builtin/roles.hpp"
#include "store/metadata/roles.hpp"
#include "store/metadata/users.hpp"

#include <algorithm>

namespace vitrine::identity::builtin {
namespace {

using store::Connection;

// Every reason why a token is no good looks the same from outside.
Error no_good() { return error(Fault::unauthenticated); }

Result<model::Domain> enabled_domain(Connection& connection, DomainId const& id) {
  auto domain = TRY(store::Domains(connection).find(id));
  if (!domain || !domain->enabled) return no_good();
  return std::move(*domain);
}

Result<> fill_scope(Connection& connection, Session& session) {
  auto const& scope = session.token.scope;
  switch (scope.kind) {
  case model::Scope::Kind::none: return {};
  case model::Scope::Kind::domain:
    session.domain = TRY(enabled_domain(connection, {scope.id}));
    break;
  case model::Scope::Kind::project:
    session.project = TRY(store::Projects(connection).find({scope.id}));
    if (!session.project || !session.project->enabled) return no_good();
    session.domain = TRY(enabled_domain(connection, session.project->domain));
    break;
  }
  auto held = TRY(store::Roles(connection).held(session.token.user, scope));
  session.roles = TRY(with_implied(connection, std::move(held)));
  return {};
}

// An application credential lends those of its roles that the user still holds.
Result<> fill_credential(Connection& connection, Session& session, Time now) {
  auto const& id = session.token.credential;
  if (id.empty()) return {};
  session.credential = TRY(store::ApplicationCredentials(connection).find(id));
  auto const& credential = session.credential;
  if (!credential || credential->user != session.token.user ||
      model::Scope::of(credential->project) != session.token.scope ||
      (credential->expires_at && now >= *credential->expires_at)) {
    return no_good();
  }
  auto const lent = TRY(with_implied(connection, credential->roles));
  std::erase_if(session.roles, [&](auto const& role) {
    return std::ranges::find(lent, role.id, &model::Role::id) == lent.end();
  });
  return {};
}

// Everybody may scope to their own domain, with the roles they hold there, if any: one client
// always does and stops when it cannot (docs/decisions/0012-domain-scope.md).
bool needs_role(Session const& session) {
  if (session.project) return true;
  return session.domain && session.domain->id != session.user.domain;
}

} // namespace

Result<Session> resolve(Connection& connection, Token token, Time now) {
  Session session{};
  session.token = std::move(token);
  auto const& told = session.token;
  if (now >= told.expires_at) return no_good();
  if (TRY(store::Tokens(connection)
              .is_void(told.audit_id, told.user, told.scope.id, told.issued_at))) {
    return no_good();
  }
  auto user = TRY(store::Users(connection).find(told.user));
  if (!user || !user->enabled) return no_good();
  session.user = std::move(*user);
  session.user_domain = TRY(enabled_domain(connection, session.user.domain));
  TRY(fill_scope(connection, session));
  TRY(fill_credential(connection, session, now));
  if (needs_role(session) && session.roles.empty()) return no_good();
  return session;
}

Result<Session> resolve_text(Connection& connection, std::string_view text, Time now) {
  auto const sealed = Sealed::parse(text);
  if (!sealed) return no_good();
  auto const key = TRY(store::SigningKeys(connection).find(sealed->key_id()));
  auto token = key ? sealed->open(*key) : std::nullopt;
  if (!token) return no_good();
  return resolve(connection, std::move(*token), now);
}

model::Caller to_caller(Session const& session, CallerRules const& rules) {
  model::Caller caller;
  caller.user = session.user.id;
  caller.user_name = session.user.name;
  if (session.project) caller.project = session.project->id;
  if (session.domain) caller.domain = session.domain->id;
  std::vector<std::string> names;
  for (auto const& role : session.roles)
    names.push_back(role.name);
  rules.apply(names, caller);
  return caller;
}

} // namespace vitrine::identity::builtin
