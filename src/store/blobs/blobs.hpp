// Stored bytes: immutable once committed, named by the service. The port; drivers lie beside it.
#pragma once

#include "base/bytes_writer.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/stored_bytes.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace vitrine::store {

/// Of one blob, which `commit` puts under its id.
using BlobWriter = BytesWriter;

/// What lies in the store.
struct StoredBlob {
  BlobId id;
  std::uint64_t size_bytes{0}; ///< 0 where the store does not tell it of half-written bytes
  Time changed_at;             ///< by the clock of the store
  bool committed{false};
};

/// Thread-safe.
class Blobs {
public:
  virtual ~Blobs() = default;
  /// `size_bytes` is how many are announced, if any are. Errors: `store_full`, `unavailable`.
  virtual Result<std::unique_ptr<BlobWriter>> create(BlobId const& id,
                                                     std::optional<std::uint64_t> size_bytes) = 0;
  /// Committed bytes. Errors: `not_found`, `unavailable`.
  virtual Result<std::unique_ptr<StoredBytes>> open(BlobId const& id) = 0;
  /// Removes committed or half-written bytes; success when there are none. Error: `unavailable`.
  virtual Result<> remove(BlobId const& id) = 0;
  /// Tells of everything that is stored, half-written bytes included, in no order. What is written
  /// or removed meanwhile may be told of or not. Error: `unavailable`.
  virtual Result<> list(std::function<void(StoredBlob const&)> const& each) = 0;
  /// Finds out whether bytes could be stored and read now. Error: `unavailable` with the reason.
  virtual Result<> look() = 0;
};

} // namespace vitrine::store
