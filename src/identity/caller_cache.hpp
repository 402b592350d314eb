// Callers by the text of their token, and holders of access keys by their key: the hottest read of
// the whole service.
#pragma once

#include "base/clock.hpp"
#include "identity/key_lookup.hpp"
#include "model/caller.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vitrine::identity {

/// How many lookups found what they looked for, and how many did not.
struct CacheLookups {
  std::uint64_t hits{0};
  std::uint64_t misses{0};
};

/// Thread-safe, bounded (about 16,000 tokens or keys). A hit allocates nothing and takes one short
/// lock of 1/16 of the cache.
template <class Known>
class BelievedCache {
public:
  /// What is kept is believed for `lifetime_us` and never beyond its own expiry; 0 keeps none.
  explicit BelievedCache(std::int64_t lifetime_us) : lifetime_us_(lifetime_us) {}

  /// Null when unknown, too old, expired or dropped.
  [[nodiscard]] std::shared_ptr<Known const> find(std::string_view token, Time now) const;
  /// The same, for who turns to `find` when there is none: only that counts as a lookup then.
  [[nodiscard]] std::shared_ptr<Known const> find_first(std::string_view token, Time now) const;

  using Lookups = CacheLookups;
  [[nodiscard]] Lookups lookups() const;

  /// To be read before what is kept is made: what was made across a change is never believed.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(); }
  void keep(std::string_view token, std::shared_ptr<Known const> known, Time now, Time expires_at,
            std::uint64_t generation);
  /// Drops everything, at once.
  void drop_all() noexcept { ++generation_; }

private:
  struct Entry {
    std::shared_ptr<Known const> known;
    Time until;
    std::uint64_t generation{0};
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries;
    Lookups lookups;
  };
  static constexpr std::size_t kShards = 16;

  [[nodiscard]] Shard& shard_of(std::string_view token) const;
  [[nodiscard]] std::shared_ptr<Known const> look(std::string_view token, Time now,
                                                  std::uint64_t misses) const;

  std::int64_t const lifetime_us_;
  std::atomic<std::uint64_t> generation_{0};
  mutable std::array<Shard, kShards> shards_;
};

using CallerCache = BelievedCache<model::Caller>;
using KeyHolderCache = BelievedCache<KeyHolder>;

} // namespace vitrine::identity
