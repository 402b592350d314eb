// What goes through a file from its start to its end: for formats that have something to say all
// the way, more than a probe may keep.
#pragma once

#include "formats/source.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine::formats {

/// A chain of pieces: some bytes are passed over, some are collected, and what they say decides how
/// it goes on. Sees every byte once and in order; holds one piece. What it finds does not depend on
/// how the bytes were cut into chunks. Not thread-safe.
class Walk {
public:
  virtual ~Walk() = default;

  /// The next bytes. Fault::format_unsafe: refused; not to be called any more.
  Result<> feed(Bytes chunk);
  /// After the last byte, with the whole file behind `source`. Fault::format_unsafe.
  virtual Result<> finish(Source& source) = 0;

protected:
  /// Passes over `skip` bytes, then collects `length` of them for `piece`; at most kWindowBytesMax.
  Walk(std::uint64_t skip, std::size_t length) { next(skip, length); }
  void next(std::uint64_t skip, std::size_t length);
  /// Passes over all that is left.
  void rest() { next(UINT64_MAX, 1); }

  /// What was collected; calls `next` or `rest`.
  virtual Result<> piece(Bytes bytes) = 0;
  /// Bytes that are passed over.
  virtual Result<> passed(Bytes) { return {}; }

  /// Where the next byte stands in the file.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }

private:
  std::uint64_t position_{0};
  std::uint64_t skip_{0};
  std::size_t length_{0};
  std::vector<std::byte> piece_;
};

} // namespace vitrine::formats
