// What voids tokens, and the keys that sign them, as rows. All run inside a unit of work of
// `Database`.
#pragma once

#include "base/clock.hpp"
#include "store/metadata/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::store {

class Tokens {
public:
  explicit Tokens(Connection& connection) : connection_(connection) {}

  /// Voids one token; also forgets revocations of tokens that expired before `now`.
  Result<> revoke(std::string_view audit_id, Time expires_at, Time now);
  /// Voids what was issued up to `now`: tokens of a user (empty: of all) for a scope (empty: for
  /// all). Also forgets marks so old that no token of their time can be alive at `lifetime_us`.
  Result<> void_all(UserId const& user, std::string_view scope_id, Time now,
                    std::int64_t lifetime_us);
  Result<bool> is_void(std::string_view audit_id, UserId const& user, std::string_view scope_id,
                       Time issued_at);

private:
  Connection& connection_;
};

struct SigningKey {
  std::int64_t id{0};
  std::string secret; ///< 64 hex digits
};

class SigningKeys {
public:
  explicit SigningKeys(Connection& connection) : connection_(connection) {}

  /// Nothing before the first one is made.
  Result<std::optional<SigningKey>> newest();
  Result<std::optional<SigningKey>> find(std::int64_t id);
  /// Stores a new secret that signs from now on, retires the others, and removes those that were
  /// retired before `forget_before`.
  Result<> rotate(std::string_view secret, Time now, Time forget_before);

private:
  Connection& connection_;
};

} // namespace vitrine::store
