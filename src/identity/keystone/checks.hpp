// What Keystone said of tokens, for a short time, and the questions that are on their way.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "identity/caller_cache.hpp"
#include "identity/keystone/document.hpp"

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vitrine::identity::keystone {

/// Thread-safe, bounded. Tokens are known by a hash only.
class Checks {
public:
  using Outcome = Result<std::shared_ptr<model::Caller const>>;
  /// Asks Keystone. Errors: `unauthenticated`, `identity_unavailable`.
  using Ask = std::function<Result<Checked>()>;

  /// Good tokens are believed for `cache_seconds` and never beyond their expiry, refused ones for
  /// 3 s at most; 0 believes nothing. The clock must outlive it.
  Checks(Clock const& clock, std::int64_t cache_seconds);

  /// From memory; else the outcome of `ask`, which runs once for all who wait for the same token.
  Outcome find(std::string_view token, Ask const& ask);
  /// As above, for a token that may have expired: what is known of it is kept apart.
  Outcome find_expired(std::string_view token, Ask const& ask);

  /// From memory alone; null when that does not tell of a good token.
  [[nodiscard]] std::shared_ptr<model::Caller const> known(std::string_view token) const;

  /// Good tokens are asked about anew.
  void forget_callers() noexcept { good_.drop_all(); }
  [[nodiscard]] CallerCache::Lookups lookups() const { return good_.lookups(); }

private:
  using Flight = std::shared_future<Outcome>;

  Outcome look(std::string const& key, bool may_have_expired, Ask const& ask);
  Outcome fly(std::string const& key, bool may_have_expired, Ask const& ask);
  void refuse(std::string const& key, Time now);

  Clock const& clock_;
  std::int64_t const refused_us_;
  CallerCache good_;
  std::mutex mutex_;
  std::unordered_map<std::string, Time> refused_; ///< until when
  std::unordered_map<std::string, Flight> flights_;
};

} // namespace vitrine::identity::keystone
