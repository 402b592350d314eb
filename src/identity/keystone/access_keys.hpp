// Access keys that Keystone keeps: its EC2 credentials.
#pragma once

#include "base/clock.hpp"
#include "identity/caller_cache.hpp"
#include "identity/key_lookup.hpp"
#include "identity/keystone/calls.hpp"
#include "identity/keystone/options.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::identity::keystone {

/// Thread-safe. A holder is believed for `cache_seconds`.
class AccessKeys final : public KeyLookup {
public:
  /// All must outlive it.
  AccessKeys(Options const& options, Calls& calls, Clock const& clock);

  [[nodiscard]] std::shared_ptr<KeyHolder const> known(std::string_view key) const override;
  /// `GET /v3/credentials/{id}`, whose id is a hash of the key.
  Result<std::optional<std::string>> secret_of(std::string_view key) override;
  /// Lets Keystone judge the key: `POST /v3/ec2tokens` answers as a login does, so roles of groups,
  /// implied ones and those of a trust or application credential come out as in any token.
  Result<std::shared_ptr<KeyHolder const>> holder_of(std::string_view key,
                                                     std::string const& secret) override;
  void forget_callers() noexcept { holders_.drop_all(); }

private:
  Options const& options_;
  Calls& calls_;
  Clock const& clock_;
  KeyHolderCache holders_;
};

/// The body of `POST /v3/ec2tokens`: a request of our own, signed with the key as EC2 does it
/// (version 2), which is all that Keystone wants to see. Pure.
std::string ec2_login(std::string_view key, std::string_view secret, Time now);

} // namespace vitrine::identity::keystone
