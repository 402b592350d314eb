#include "identity/login_limiter.hpp"

#include "base/network.hpp"

#include <algorithm>
#include <array>
#include <sodium.h>
#include <tuple>
#include <utility>
#include <vector>

namespace vitrine::identity {
namespace {

constexpr std::int64_t kAddressFactor = 10;

// Names of strangers may be as long as a request; what is kept of them must not.
std::string digest_of(std::string_view user) {
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<unsigned char const*>(user.data()), user.size(), nullptr, 0);
  return {digest.begin(), digest.end()};
}

} // namespace

bool LoginLimiter::is_over(Count const& count, Time now) const {
  return count.since + limits_.window_seconds * kMicrosecondsPerSecond <= now;
}

LoginLimiter::Count* LoginLimiter::full_count(Counts& counts, std::string const& key,
                                              std::int64_t attempts_max, Time now) const {
  auto const at = counts.find(key);
  bool const is_full =
      at != counts.end() && !is_over(at->second, now) && at->second.attempts >= attempts_max;
  return is_full ? &at->second : nullptr;
}

// Drops what is over, and then an eighth at least, so that a flood does not look through all counts
// for each of its names.
void LoginLimiter::make_room(Counts& counts, Time now) const {
  std::erase_if(counts, [&](auto const& item) { return is_over(item.second, now); });
  auto const keep = limits_.counts_max - limits_.counts_max / 8 - 1;
  if (counts.size() <= keep) return;
  std::vector<Counts::const_iterator> all;
  all.reserve(counts.size());
  for (auto at = counts.cbegin(); at != counts.cend(); ++at)
    all.push_back(at);
  auto const dropped = all.begin() + static_cast<std::ptrdiff_t>(counts.size() - keep);
  std::ranges::nth_element(all, dropped, {}, [](auto const& at) {
    return std::tuple(at->second.attempts, at->second.since);
  });
  for (auto one = all.begin(); one != dropped; ++one)
    counts.erase(*one);
}

void LoginLimiter::count_attempt(Counts& counts, std::string const& key, Time now) const {
  if (counts.size() >= limits_.counts_max && !counts.contains(key)) make_room(counts, now);
  auto& count = counts[key];
  if (is_over(count, now)) count = {.since = now, .attempts = 0};
  ++count.attempts;
}

Admission LoginLimiter::look(std::string const& name, std::string const& network, Time now) {
  std::string_view limit = "address";
  auto* full = full_count(addresses_, network, limits_.attempts_max * kAddressFactor, now);
  if (full == nullptr) {
    limit = "user";
    full = full_count(users_, name, limits_.attempts_max, now);
  }
  if (full == nullptr) return {};
  return {.granted = false, .begins = std::exchange(full->is_told, true) ? "" : limit};
}

Admission LoginLimiter::admit(std::string_view user, std::string_view address, Time now) {
  auto const name = digest_of(user);
  auto const network = network_of(address);
  std::lock_guard const lock(mutex_);
  auto const admission = look(name, network, now);
  if (admission) {
    count_attempt(addresses_, network, now);
    count_attempt(users_, name, now);
  }
  return admission;
}

Admission LoginLimiter::allows(std::string_view user, std::string_view address, Time now) {
  auto const name = digest_of(user);
  auto const network = network_of(address);
  std::lock_guard const lock(mutex_);
  return look(name, network, now);
}

void LoginLimiter::failed(std::string_view user, std::string_view address, Time now) {
  auto const name = digest_of(user);
  auto const network = network_of(address);
  std::lock_guard const lock(mutex_);
  count_attempt(addresses_, network, now);
  count_attempt(users_, name, now);
}

void LoginLimiter::forgive(std::string_view user, std::string_view address) {
  std::lock_guard const lock(mutex_);
  users_.erase(digest_of(user));
  if (auto const at = addresses_.find(network_of(address)); at != addresses_.end()) {
    if (--at->second.attempts <= 0) addresses_.erase(at);
  }
}

} // namespace vitrine::identity
