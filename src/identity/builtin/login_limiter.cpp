#include "identity/builtin/login_limiter.hpp"

#include <arpa/inet.h>
#include <array>

namespace vitrine::identity::builtin {
namespace {

constexpr std::int64_t kAddressFactor = 10;
// Counts that are kept at once; what is beyond belongs to a flood of names or addresses.
constexpr std::size_t kCountsMax = 65'536;

// One customer has a whole /64 of IPv6 addresses.
std::string network_of(std::string_view address) {
  std::string text(address);
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  return {reinterpret_cast<char const*>(bytes.data()), 8};
}

} // namespace

LoginLimiter::Count& LoginLimiter::count_of(Counts& counts, std::string const& key, Time now) {
  auto const window_us = limits_.window_seconds * kMicrosecondsPerSecond;
  if (counts.size() >= kCountsMax && !counts.contains(key)) {
    std::erase_if(counts, [&](auto const& item) { return item.second.since + window_us <= now; });
    if (counts.size() >= kCountsMax) counts.clear();
  }
  auto& count = counts[key];
  if (count.since + window_us <= now) count = {.since = now, .attempts = 0};
  return count;
}

bool LoginLimiter::admit(std::string_view user, std::string_view address, Time now) {
  std::lock_guard const lock(mutex_);
  auto& of_user = count_of(users_, std::string(user), now);
  auto& of_address = count_of(addresses_, network_of(address), now);
  if (of_user.attempts >= limits_.attempts_max ||
      of_address.attempts >= limits_.attempts_max * kAddressFactor) {
    return false;
  }
  ++of_user.attempts;
  ++of_address.attempts;
  return true;
}

void LoginLimiter::forgive(std::string_view user, std::string_view address) {
  std::lock_guard const lock(mutex_);
  users_.erase(std::string(user));
  if (auto const at = addresses_.find(network_of(address)); at != addresses_.end()) {
    if (--at->second.attempts <= 0) addresses_.erase(at);
  }
}

} // namespace vitrine::identity::builtin
