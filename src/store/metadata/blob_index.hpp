// Which bytes are stored and how often they are referred to. Runs inside a unit of work of
// `Database`.
#pragma once

#include "store/metadata/connection.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {

struct BlobRow {
  BlobId id;
  std::int64_t size_bytes{0};
  /// SHA-512, lower-case hex; empty for sealed bytes: their segments prove themselves, and nobody
  /// may find them by what is in them.
  std::string hash_value{};
  /// An image refers to it. Else its bytes go soon, or have gone just now.
  bool is_used{true};
};

struct BlobUser {
  ImageId image;
  ProjectId owner;
};

/// Who has a blob: the first images, in the order of their ids, of so many.
struct BlobUsers {
  std::vector<BlobUser> first{};
  std::int64_t count{0};
};

struct UnusedBlob {
  BlobId id;
  Time since; ///< when it was stored, or given up last
};

/// What one store holds.
struct StoreTotal {
  std::string store; ///< its key
  std::int64_t blobs{0};
  std::int64_t size_bytes{0};
};

class BlobIndex {
public:
  explicit BlobIndex(Connection& connection) : connection_(connection) {}

  /// Bytes of that SHA-512 and length that the store with that key has already.
  Result<std::optional<BlobId>> find(std::string_view hash_value, std::int64_t size_bytes,
                                     std::string_view store);
  /// Records new bytes with one reference; an empty hash for sealed ones.
  Result<> insert(BlobId const& id, std::int64_t size_bytes, std::string_view hash_value, Time now);
  /// Records bytes that nobody needs and the store has not removed; nothing when they are known.
  Result<> insert_unused(BlobId const& id, std::int64_t size_bytes, Time now);
  Result<> add_reference(BlobId const& id);
  Result<> drop_reference(BlobId const& id);
  /// Puts equal bytes in the place of `lost`, with one reference more: whatever had `lost` has
  /// `by`.
  Result<> replace(BlobId const& lost, BlobId const& by, std::string_view hash_value);
  /// At most `limit` blobs without a reference in the store with that key, oldest first.
  Result<std::vector<UnusedBlob>> unused(std::string_view store, std::int64_t limit);
  /// Gives up a blob if it is still unused: nobody finds it again, and its bytes may be removed
  /// after the commit. False when it is in use, or has been given up since it was listed.
  Result<bool> give_up(UnusedBlob const& blob, Time now);
  /// Forgets blobs that were given up, once the store has their bytes no more.
  Result<> forget(std::span<BlobId const> given_up);
  /// At most `limit` blobs of images in the store with that key, any.
  Result<std::vector<BlobId>> some(std::string_view store, std::int64_t limit);
  Result<std::vector<BlobRow>> all();
  /// At most `limit` images that have it; none when it is sealed.
  Result<BlobUsers> users(BlobId const& id, std::int64_t limit);
  /// Every image with sealed bytes, in the order of their ids. Reads every row of them.
  Result<> each_sealed(std::function<void(BlobId const&, BlobUser)> const& take);
  /// What each store holds of images, of those that hold something. Reads every row.
  Result<std::vector<StoreTotal>> totals();

private:
  Connection& connection_;
};

} // namespace vitrine::store
