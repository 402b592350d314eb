#include "service/policy/in_force.hpp"

namespace vitrine::service::policy {
namespace {

std::atomic<std::uint64_t> generations{0};

// What this thread saw last; kept alive by it, however often the policy is replaced meanwhile.
struct Seen {
  std::uint64_t generation{0};
  std::shared_ptr<Policy const> policy;
};
thread_local Seen seen;

} // namespace

void InForce::replace(Policy next) {
  auto fresh = std::make_shared<Policy const>(std::move(next));
  std::lock_guard const lock(mutex_);
  policy_ = std::move(fresh);
  generation_.store(++generations, std::memory_order_release);
}

Policy const& InForce::current() const {
  if (seen.generation != generation_.load(std::memory_order_acquire)) {
    std::lock_guard const lock(mutex_);
    seen = {generation_.load(std::memory_order_relaxed), policy_};
  }
  return *seen.policy;
}

} // namespace vitrine::service::policy
