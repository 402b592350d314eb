// Passwords and other secrets of users, kept as argon2id hashes.
#pragma once

#include "base/result.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::identity::builtin {

/// Thread-safe. A computation takes a core and `Cost::memory_kib` while it lasts. Callers bound how
/// many run at once: whatever strangers may ask for runs on the few threads that are there for it
/// (docs/decisions/0011-login-limit.md).
class Passwords {
public:
  struct Cost {
    std::int64_t passes{2};
    std::int64_t memory_kib{19'456};
  };

  explicit Passwords(Cost cost);

  /// The text to store. Error: `unavailable` when memory is short.
  Result<std::string> hash(std::string_view password);
  /// True when the password is the one of `stored`. Without a stored hash the answer is no, after
  /// the same work, so that nobody learns from the time which users exist.
  bool verify(std::optional<std::string> const& stored, std::string_view password);

  /// How many passwords were checked; each is one argon2id computation.
  [[nodiscard]] std::uint64_t verifications() const noexcept { return verifications_.load(); }

private:
  Cost const cost_;
  std::string const decoy_; ///< well-formed, of the same cost, of no password
  std::atomic<std::uint64_t> verifications_{0};
};

/// A random secret of 256 bits as text; starts with a letter.
std::string new_secret();

} // namespace vitrine::identity::builtin
