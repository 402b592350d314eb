// Bytes on their way to a file or across a network.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <span>

namespace vitrine {

/// Not thread-safe. Destroyed without `commit`, the bytes are gone.
class BytesWriter {
public:
  virtual ~BytesWriter() = default;
  /// Appends. Cheapest from memory at a page boundary and in multiples of the page. Errors:
  /// `store_full`, `unavailable`.
  virtual Result<> write(std::span<std::byte const> bytes) = 0;
  /// Makes the bytes permanent where they belong, in one step; on success they survive a crash.
  /// Once.
  virtual Result<> commit() = 0;
};

} // namespace vitrine
