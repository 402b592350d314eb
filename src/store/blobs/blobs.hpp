// Stored bytes: immutable once committed, named by the service. The port; drivers lie beside it.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace vitrine::store {

/// Bytes on their way in. Not thread-safe. Destroyed without `commit`, they are gone.
class BlobWriter {
public:
  virtual ~BlobWriter() = default;
  /// Appends. Cheapest from memory at a page boundary and in multiples of the page. Errors:
  /// `store_full`, `unavailable`.
  virtual Result<> write(std::span<std::byte const> bytes) = 0;
  /// Makes the bytes permanent under their id; on success they survive a crash. Once.
  virtual Result<> commit() = 0;
};

/// An open file descriptor of committed bytes; the caller closes it.
struct OpenBlob {
  int descriptor{-1};
  std::uint64_t size_bytes{0};
};

/// Thread-safe.
class Blobs {
public:
  virtual ~Blobs() = default;
  virtual Result<std::unique_ptr<BlobWriter>> create(BlobId const& id) = 0;
  /// Error: `not_found`.
  virtual Result<OpenBlob> open(BlobId const& id) = 0;
  /// Removes committed or half-written bytes; success when there are none.
  virtual Result<> remove(BlobId const& id) = 0;
  /// Names everything that is stored, half-written bytes included, in no order.
  virtual Result<> list(std::function<void(BlobId const&)> const& each) = 0;
};

} // namespace vitrine::store
