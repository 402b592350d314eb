// A token with what it stands for now: the rows behind its ids, resolved when asked, not frozen in
// it.
#pragma once

#include "base/result.hpp"
#include "identity/builtin/token.hpp"
#include "identity/caller_rules.hpp"
#include "model/identity.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace vitrine::store {
class Connection;
}

namespace vitrine::identity::builtin {

struct Session {
  Token token;
  model::User user;
  model::Domain user_domain;
  std::optional<model::Project> project;
  std::optional<model::Domain> domain; ///< of the project, or the scope itself; absent: unscoped
  std::vector<model::Role> roles;      ///< implied ones included, by name
  std::optional<model::ApplicationCredential> credential;
};

/// Whom and what a token names, if it is good at `now`: user, scope and domains exist and are
/// enabled, the user holds a role in the scope (in their own domain they need none), and nothing
/// voided it. Error: `unauthenticated`, for all of these alike.
Result<Session> resolve(store::Connection& connection, Token token, Time now);

/// As above, from the text of a token. Error: `unauthenticated`.
Result<Session> resolve_text(store::Connection& connection, std::string_view text, Time now);

/// The caller as other parts of the service know it.
model::Caller to_caller(Session const& session, CallerRules const& rules);

} // namespace vitrine::identity::builtin
