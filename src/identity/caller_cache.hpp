// Callers by the text of their token: the hottest read of the whole service.
#pragma once

#include "base/clock.hpp"
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

/// Thread-safe, bounded (about 16,000 tokens). A hit allocates nothing and takes one short lock of
/// 1/16 of the cache.
class CallerCache {
public:
  /// Callers are believed for `lifetime_us` and never beyond their token's expiry; 0 keeps none.
  explicit CallerCache(std::int64_t lifetime_us) : lifetime_us_(lifetime_us) {}

  /// Null when unknown, too old, expired or dropped.
  [[nodiscard]] std::shared_ptr<model::Caller const> find(std::string_view token, Time now) const;

  /// How many lookups found a caller, and how many did not.
  struct Lookups {
    std::uint64_t hits{0};
    std::uint64_t misses{0};
  };
  [[nodiscard]] Lookups lookups() const;

  /// To be read before what the caller is made from: a caller made across a change is never
  /// believed.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(); }
  void keep(std::string_view token, std::shared_ptr<model::Caller const> caller, Time now,
            Time expires_at, std::uint64_t generation);
  /// Drops every caller, at once.
  void drop_all() noexcept { ++generation_; }

private:
  struct Entry {
    std::shared_ptr<model::Caller const> caller;
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

  std::int64_t const lifetime_us_;
  std::atomic<std::uint64_t> generation_{0};
  mutable std::array<Shard, kShards> shards_;
};

} // namespace vitrine::identity
