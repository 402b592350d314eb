// The built-in identity: who exists, who may do what where, and which tokens are good. Everything
// is in the database, so processes over one database agree; each believes a checked token for a few
// seconds.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "identity/builtin/access_keys.hpp"
#include "identity/builtin/application_credentials.hpp"
#include "identity/builtin/domains.hpp"
#include "identity/builtin/options.hpp"
#include "identity/builtin/projects.hpp"
#include "identity/builtin/roles.hpp"
#include "identity/builtin/tokens.hpp"
#include "identity/builtin/users.hpp"
#include "identity/caller_cache.hpp"

#include <cstdint>
#include <memory>

namespace vitrine::store {
class Database;
}

namespace vitrine::identity::builtin {

/// Thread-safe. `tokens()` is the Authenticator of the service, `projects()` its ProjectDirectory.
class Directory {
public:
  /// The database and clock must outlive the directory.
  Directory(store::Database& database, Clock const& clock, Options options);
  ~Directory();

  /// Makes what every start needs and is not there yet: the default domain, the built-in roles, a
  /// signing key. Any number of processes may do this at once.
  Result<> prepare();

  Domains& domains() noexcept { return domains_; }
  Projects& projects() noexcept { return projects_; }
  Users& users() noexcept { return users_; }
  Roles& roles() noexcept { return roles_; }
  ApplicationCredentials& application_credentials() noexcept { return application_credentials_; }
  AccessKeys& access_keys() noexcept { return access_keys_; }
  Tokens& tokens() noexcept { return tokens_; }

  /// How many passwords and secrets were checked; each cost one argon2id computation.
  [[nodiscard]] std::uint64_t password_checks() const noexcept;
  /// Of tokens that were checked: from memory (hits) or in the database (misses).
  [[nodiscard]] CallerCache::Lookups token_lookups() const;

private:
  std::unique_ptr<Core> core_;
  Domains domains_;
  Projects projects_;
  Users users_;
  Roles roles_;
  ApplicationCredentials application_credentials_;
  AccessKeys access_keys_;
  Tokens tokens_;
};

} // namespace vitrine::identity::builtin
