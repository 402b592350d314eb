#include "identity/caller_cache.hpp"

#include <algorithm>
#include <cstring>

namespace vitrine::identity {
namespace {

constexpr std::size_t kEntriesPerShard = 1024;

} // namespace

// A token of ours ends in its signature, which is as random as any hash; the key of a foreign one
// is a hash. Strangers cannot get a text with an end of their choice into the cache, since only
// tokens that were found good are kept.
std::size_t CallerCache::Hash::operator()(std::string_view text) const noexcept {
  std::uint64_t end = 0;
  auto const bytes = std::min(text.size(), sizeof(end));
  if (bytes > 0) std::memcpy(&end, text.data() + text.size() - bytes, bytes);
  return static_cast<std::size_t>(end * 0x9E37'79B9'7F4A'7C15U);
}

CallerCache::Shard& CallerCache::shard_of(std::string_view token) const {
  return shards_[(Hash{}(token) >> 60U) % kShards];
}

std::shared_ptr<model::Caller const> CallerCache::find(std::string_view token, Time now) const {
  auto& shard = shard_of(token);
  std::lock_guard const lock(shard.mutex);
  auto const at = shard.entries.find(token);
  bool const good = at != shard.entries.end() && now < at->second.until &&
                    at->second.generation == generation_.load();
  ++(good ? shard.lookups.hits : shard.lookups.misses);
  return good ? at->second.caller : nullptr;
}

CallerCache::Lookups CallerCache::lookups() const {
  Lookups sum;
  for (auto& shard : shards_) {
    std::lock_guard const lock(shard.mutex);
    sum.hits += shard.lookups.hits;
    sum.misses += shard.lookups.misses;
  }
  return sum;
}

void CallerCache::keep(std::string_view token, std::shared_ptr<model::Caller const> caller,
                       Time now, Time expires_at, std::uint64_t generation) {
  if (lifetime_us_ <= 0) return;
  auto& shard = shard_of(token);
  std::lock_guard const lock(shard.mutex);
  if (shard.entries.size() >= kEntriesPerShard) {
    auto const current = generation_.load();
    std::erase_if(shard.entries, [&](auto const& item) {
      return now >= item.second.until || item.second.generation != current;
    });
    if (shard.entries.size() >= kEntriesPerShard) shard.entries.clear();
  }
  shard.entries.insert_or_assign(std::string(token),
                                 Entry{.caller = std::move(caller),
                                       .until = std::min(expires_at, now + lifetime_us_),
                                       .generation = generation});
}

} // namespace vitrine::identity
