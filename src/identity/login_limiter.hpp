// How often a login may fail before further ones are refused unseen
// (docs/decisions/0011-login-limit.md).
#pragma once

#include "base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vitrine::identity {

/// Whether an attempt may go on.
struct Admission {
  bool granted{true};
  /// "user" or "address" for the first attempt in a window that its limit refuses, else empty:
  /// worth a line in the log, as the further ones are not.
  std::string_view begins{};

  explicit operator bool() const noexcept { return granted; }
};

/// Thread-safe. Counts in this process only. An attempt counts as failed from its start until it is
/// forgiven, so that attempts side by side cannot pass the limit together.
class LoginLimiter {
public:
  struct Limits {
    std::int64_t attempts_max{10}; ///< of one user; ten times as many from one address
    std::int64_t window_seconds{60};
    /// Users, and addresses, that are counted at once. Of more those with the fewest attempts are
    /// forgotten: they are a flood of names or addresses, not who is being guessed at.
    std::size_t counts_max{65'536};
  };

  explicit LoginLimiter(Limits limits) : limits_(limits) {}

  /// Refused when the user (as named in the request, whether it exists or not) or the address has
  /// failed too often within the window; nothing is counted then.
  Admission admit(std::string_view user, std::string_view address, Time now);
  /// As above, but counts nothing: of attempts that are over in microseconds `failed` counts those
  /// that failed, so that many good ones side by side are no fault.
  [[nodiscard]] Admission allows(std::string_view user, std::string_view address, Time now);
  void failed(std::string_view user, std::string_view address, Time now);
  /// The attempt succeeded: the user starts afresh, the address gets its attempt back.
  void forgive(std::string_view user, std::string_view address);

private:
  struct Count {
    Time since;
    std::int64_t attempts{0};
    bool is_told{false}; ///< that the limit holds
  };
  using Counts = std::unordered_map<std::string, Count>;

  /// `name` is a digest. The mutex is held.
  Admission look(std::string const& name, std::string const& network, Time now);
  [[nodiscard]] bool is_over(Count const& count, Time now) const;
  /// The count of `key` where it has come to `attempts_max`.
  [[nodiscard]] Count* full_count(Counts& counts, std::string const& key, std::int64_t attempts_max,
                                  Time now) const;
  void count_attempt(Counts& counts, std::string const& key, Time now) const;
  void make_room(Counts& counts, Time now) const;

  Limits const limits_;
  std::mutex mutex_;
  Counts users_; ///< by a digest of their name
  Counts addresses_;
};

} // namespace vitrine::identity
