#include "identity/caller_cache.hpp"

#include <algorithm>
#include <cstring>

namespace vitrine::identity {
namespace {

constexpr std::size_t kEntriesPerShard = 1024;

} // namespace

// A token of ours ends in its signature, which is as random as any hash; the key of a foreign one
// is a hash; an access key is random. Strangers cannot get a text with an end of their choice into
// the cache, since only what was found good is kept.
template <class Known>
std::size_t BelievedCache<Known>::Hash::operator()(std::string_view text) const noexcept {
  std::uint64_t end = 0;
  auto const bytes = std::min(text.size(), sizeof(end));
  if (bytes > 0) std::memcpy(&end, text.data() + text.size() - bytes, bytes);
  return static_cast<std::size_t>(end * 0x9E37'79B9'7F4A'7C15U);
}

template <class Known>
typename BelievedCache<Known>::Shard& BelievedCache<Known>::shard_of(std::string_view token) const {
  return shards_[(Hash{}(token) >> 60U) % kShards];
}

template <class Known>
std::shared_ptr<Known const> BelievedCache<Known>::find(std::string_view token, Time now) const {
  return look(token, now, 1);
}

template <class Known>
std::shared_ptr<Known const> BelievedCache<Known>::find_first(std::string_view token,
                                                              Time now) const {
  return look(token, now, 0);
}

/// `misses` is how many it counts as when there is none.
template <class Known>
std::shared_ptr<Known const> BelievedCache<Known>::look(std::string_view token, Time now,
                                                        std::uint64_t misses) const {
  auto& shard = shard_of(token);
  std::lock_guard const lock(shard.mutex);
  auto const at = shard.entries.find(token);
  bool const good = at != shard.entries.end() && now < at->second.until &&
                    at->second.generation == generation_.load();
  good ? ++shard.lookups.hits : shard.lookups.misses += misses;
  return good ? at->second.known : nullptr;
}

template <class Known>
CacheLookups BelievedCache<Known>::lookups() const {
  CacheLookups sum;
  for (auto& shard : shards_) {
    std::lock_guard const lock(shard.mutex);
    sum.hits += shard.lookups.hits;
    sum.misses += shard.lookups.misses;
  }
  return sum;
}

template <class Known>
void BelievedCache<Known>::keep(std::string_view token, std::shared_ptr<Known const> known,
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
                                 Entry{.known = std::move(known),
                                       .until = std::min(expires_at, now + lifetime_us_),
                                       .generation = generation});
}

template class BelievedCache<model::Caller>;
template class BelievedCache<KeyHolder>;

} // namespace vitrine::identity
