// Bytes that lie in a file or across a network and can be read from any place.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace vitrine {

/// Not thread-safe: one call at a time, from any thread.
class StoredBytes {
public:
  virtual ~StoredBytes() = default;
  [[nodiscard]] virtual std::uint64_t size_bytes() const noexcept = 0;
  /// Of an open file that holds them, for sendfile(2), owned by this; -1 when there is none.
  [[nodiscard]] virtual int descriptor() const noexcept { return -1; }
  /// What to read at once: each call may cost a round trip.
  [[nodiscard]] virtual std::size_t read_bytes_best() const noexcept = 0;
  /// Fills the whole span, which must lie within the bytes. Blocking. Errors: `unavailable`, also
  /// when the bytes have become fewer; `internal` when they are damaged, as far as that shows.
  virtual Result<> read(std::uint64_t offset, std::span<std::byte> into) = 0;
};

} // namespace vitrine
