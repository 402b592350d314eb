// The policy in force: read by every request, replaced when the policy file is read again.
#pragma once

#include "service/policy/policy.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace vitrine::service::policy {

/// Thread-safe. Reading costs one atomic load; a thread takes the lock once after each replacement.
class InForce {
public:
  explicit InForce(Policy first) { replace(std::move(first)); }

  /// From now on `current` answers `next`. Both must be loaded from the same defaults: ActionIds
  /// stay valid.
  void replace(Policy next);
  /// Lives until the calling thread asks again, any InForce.
  [[nodiscard]] Policy const& current() const;

private:
  std::atomic<std::uint64_t> generation_{
      0}; ///< of `policy_`; unique among all policies put in force
  mutable std::mutex mutex_;
  std::shared_ptr<Policy const> policy_; ///< under mutex_
};

} // namespace vitrine::service::policy
