#include "identity/keystone/checks.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <sodium.h>

namespace vitrine::identity::keystone {
namespace {

constexpr std::int64_t kRefusedSecondsMax = 3;
constexpr std::size_t kRefusedMax = 10'000;

std::string key_of(std::string_view token) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<unsigned char const*>(token.data()),
                     token.size());
  return {hash.begin(), hash.end()};
}

} // namespace

Checks::Checks(Clock const& clock, std::int64_t cache_seconds)
    : clock_(clock),
      refused_us_(std::min(cache_seconds, kRefusedSecondsMax) * kMicrosecondsPerSecond),
      good_(cache_seconds * kMicrosecondsPerSecond) {}

Checks::Outcome Checks::find(std::string_view token, Ask const& ask) {
  return look(key_of(token), false, ask);
}

Checks::Outcome Checks::find_expired(std::string_view token, Ask const& ask) {
  return look("expired " + key_of(token), true, ask);
}

std::shared_ptr<model::Caller const> Checks::known(std::string_view token) const {
  return good_.find_first(key_of(token), clock_.now());
}

Checks::Outcome Checks::look(std::string const& key, bool may_have_expired, Ask const& ask) {
  auto const now = clock_.now();
  if (auto caller = good_.find(key, now)) return caller;
  std::promise<Outcome> promise;
  Flight flight;
  {
    std::lock_guard const lock(mutex_);
    if (auto const at = refused_.find(key); at != refused_.end()) {
      if (now < at->second) return error(Fault::unauthenticated);
      refused_.erase(at);
    }
    auto const [at, first] = flights_.try_emplace(key);
    if (first)
      at->second = promise.get_future().share();
    else
      flight = at->second;
  }
  if (flight.valid()) return flight.get();
  // Whatever happens, nobody joins a flight that has landed.
  auto const landed = [this, &key] {
    std::lock_guard const lock(mutex_);
    flights_.erase(key);
  };
  try {
    auto outcome = fly(key, may_have_expired, ask);
    landed();
    promise.set_value(outcome);
    return outcome;
  } catch (...) {
    landed();
    promise.set_exception(std::current_exception());
    throw;
  }
}

Checks::Outcome Checks::fly(std::string const& key, bool may_have_expired, Ask const& ask) {
  auto const generation = good_.generation();
  auto checked = ask();
  auto const now = clock_.now();
  if (!checked) {
    if (checked.error().fault == Fault::unauthenticated) refuse(key, now);
    return std::move(checked).error();
  }
  auto const until =
      may_have_expired ? Time{std::numeric_limits<std::int64_t>::max()} : checked->expires_at;
  auto caller = std::make_shared<model::Caller const>(std::move(checked->caller));
  good_.keep(key, caller, now, until, generation);
  return caller;
}

void Checks::refuse(std::string const& key, Time now) {
  if (refused_us_ <= 0) return;
  std::lock_guard const lock(mutex_);
  if (refused_.size() >= kRefusedMax) {
    std::erase_if(refused_, [&](auto const& item) { return now >= item.second; });
    if (refused_.size() >= kRefusedMax) refused_.clear();
  }
  refused_.insert_or_assign(key, now + refused_us_);
}

} // namespace vitrine::identity::keystone
