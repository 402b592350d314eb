// Whether what the rows say of image data is what lies in the store.
#pragma once

#include "base/result.hpp"
#include "store/blobs/blob_stores.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/database.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vitrine::service {

struct BlobFinding {
  enum class Kind : std::uint8_t {
    missing,     ///< an image has this data, the store has not
    wrong_size,  ///< the store has another number of bytes
    orphaned,    ///< in the store, but of no image and no upload under way
    wrong_store, ///< the same, but an image has this data in another store
    no_store,    ///< an image has this data, its store is not configured
  };

  Kind kind;
  BlobId id;
  std::int64_t stored_bytes{0};   ///< 0 when missing, half-written or not looked at
  std::int64_t expected_bytes{0}; ///< 0 when it is none of this store
  store::BlobUsers users{};       ///< who has it, if any image does: the first kUsersMax of them

  static constexpr std::int64_t kUsersMax = 3;
};

std::string_view name_of(BlobFinding::Kind kind) noexcept;

struct BlobReport {
  std::int64_t blobs{0}; ///< rows compared
  std::vector<BlobFinding> findings;
};

/// Committed bytes of a blob in the store now; nothing when there is no such blob. Error:
/// `unavailable`.
Result<std::optional<std::int64_t>> stored_size_bytes(store::Blobs& blobs, BlobId const& id);

/// The same of each of the rows, of some at once. Errors: as above; the first one ends it.
Result<std::vector<std::optional<std::int64_t>>>
stored_sizes_bytes(store::Blobs& blobs, std::span<store::BlobRow const> rows);

/// Compares all rows with all of the stores. Servers may run meanwhile: what looks wrong is looked
/// at again after each of some pauses, in which they come to an end with it. Errors: those of the
/// database and the stores.
Result<BlobReport> check_blobs(store::Database& database, store::BlobStores& blobs,
                               std::chrono::milliseconds pause = std::chrono::seconds(2));

} // namespace vitrine::service
