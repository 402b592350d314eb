// Which bytes are stored and how often they are referred to. Runs inside a unit of work of
// `Database`.
#pragma once

#include "store/metadata/connection.hpp"

#include <optional>
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
  Result<> add_reference(BlobId const& id);
  Result<> drop_reference(BlobId const& id);
  /// Puts equal bytes in the place of `lost`, with one reference more: whatever had `lost` has
  /// `by`.
  Result<> replace(BlobId const& lost, BlobId const& by, std::string_view hash_value);
  /// At most `limit` blobs without a reference in the store with that key, oldest first.
  Result<std::vector<BlobId>> unused(std::string_view store, std::int64_t limit);
  /// Forgets a blob if it is still unused; true when it was. Its bytes may be removed after the
  /// commit.
  Result<bool> forget_unused(BlobId const& id);
  /// At most `limit` blobs of images in the store with that key, any.
  Result<std::vector<BlobId>> some(std::string_view store, std::int64_t limit);
  Result<std::vector<BlobRow>> all();
  /// What each store holds, of those that hold something. Reads every row.
  Result<std::vector<StoreTotal>> totals();

private:
  Connection& connection_;
};

} // namespace vitrine::store
