// Application credentials: secrets that stand for a user within one project.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/identity.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vitrine::identity::builtin {

struct Core;

struct NewCredential {
  UserId user;
  ProjectId project;
  std::string name;
  std::string description{};
  std::optional<std::string> secret{}; ///< absent: one is made
  std::optional<Time> expires_at{};
  /// Ids or names; empty: all that can be lent.
  std::vector<std::string> roles{};
  /// Roles of the token that asks; others of the user are not lent. Absent: an operator asks.
  std::optional<std::vector<model::Role>> token_roles{};
  bool unrestricted{false};
};

struct CreatedCredential {
  model::ApplicationCredential credential;
  std::string secret; ///< shown this once
};

/// Thread-safe. Changes leave audit events, as those of Users do.
class ApplicationCredentials {
public:
  explicit ApplicationCredentials(Core& core) : core_(core) {}

  /// Error: `not_found`, also for one of another user.
  Result<model::ApplicationCredential> get(UserId const& user, model::CredentialId const& id);
  Result<std::vector<model::ApplicationCredential>> list(UserId const& user,
                                                         std::optional<std::string> const& name);
  /// Errors: `invalid_value` (name, secret, expires_at, and roles that the user or the token does
  /// not hold), `name_taken`.
  Result<CreatedCredential> create(NewCredential wanted, model::Caller const& by = {});
  /// Its tokens are void at once. Error: `not_found`, also for one of another user.
  Result<> remove(UserId const& user, model::CredentialId const& id, model::Caller const& by = {});

private:
  Core& core_;
};

} // namespace vitrine::identity::builtin
