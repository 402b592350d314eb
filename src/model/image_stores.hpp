// Which stores of image data there are, and which of them a blob lies in: the id of a blob says so,
// as `ID` for the first store and `ID@STORE` for a further one (decision 0035).
#pragma once

#include "base/ids.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::model {

/// The store that the id names; empty for the first one.
std::string_view store_of(BlobId const& id) noexcept;
/// The id by which its store knows the blob: 32 lower-case hex digits.
BlobId id_in_store(BlobId const& id);
/// The other way: the id of a blob that the store, empty for the first one, knows by that id.
BlobId id_in_service(BlobId const& in_store, std::string_view store);
/// The id of a blob to be put into that store.
BlobId new_blob_id(std::string_view store);

/// A store as it is configured.
struct ImageStore {
  std::string key{};  ///< what ids of blobs call it; empty for the first store
  std::string name{}; ///< what clients call it
  std::string description{};
  std::string driver{};          ///< "file" or "s3"
  std::string directory{};       ///< of a store of files
  std::int64_t part_size_mib{0}; ///< of an object store
};

/// All of them. Thread-safe: it does not change.
class ImageStores {
public:
  /// One store without a name.
  ImageStores() : ImageStores({ImageStore{}}, {}) {}
  /// The first store comes first; `default_name` is the name of one of them.
  ImageStores(std::vector<ImageStore> stores, std::string_view default_name);

  /// Without several nobody is told of stores.
  [[nodiscard]] bool several() const noexcept { return stores_.size() > 1; }
  [[nodiscard]] std::span<ImageStore const> all() const noexcept { return stores_; }
  /// Where data goes that names no store.
  [[nodiscard]] ImageStore const& by_default() const noexcept { return stores_[default_]; }
  /// Null when there is none.
  [[nodiscard]] ImageStore const* named(std::string_view name) const noexcept;
  /// Null when it is not configured any more.
  [[nodiscard]] ImageStore const* with_key(std::string_view key) const noexcept;
  /// The name of the store of a blob, also when it is not configured any more.
  [[nodiscard]] std::string_view name_of_store(BlobId const& id) const noexcept;

private:
  std::vector<ImageStore> stores_;
  std::size_t default_{0};
};

} // namespace vitrine::model
