// The bytes of an upload as a probe sees them: once, in order, without a seek and in bounded
// memory.
//
// A probe is written as if the whole file were at hand: it calls `read`, `tail` and `size` and
// returns their errors with TRY. When the bytes are still to come, the error is only a pause: the
// Source notes what is wanted, keeps it when it passes, and the Inspector runs the probe anew. So a
// probe must be a pure function of its Source, must never swallow an error of it, and asks in
// ascending order of offset, for the size last.
#pragma once

#include "base/result.hpp"
#include "formats/reader.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace vitrine::formats {

/// Bytes kept from the start of the file; enough to recognise every format (ISO 9660 begins at 32
/// KiB).
constexpr std::size_t kHeadBytes = 64U << 10U;
/// Bytes kept from the end of the file.
constexpr std::size_t kTailBytes = 4096;
/// Bytes that one probe may ask for beyond the head.
constexpr std::size_t kWindowBytesMax = 1U << 20U;

/// The error of an image that must be refused; `reason` reads on after the name of the format:
/// "names a backing file".
Error unsafe(std::string reason);

/// Not thread-safe. Memory: head, tail and at most kWindowBytesMax of windows.
class Source {
public:
  /// Bytes from `offset`, exactly `length` of them. `what` names them in the refusal of a file that
  /// ends earlier. Fault::unavailable: not here yet; Fault::format_unsafe: cut, backwards, or too
  /// much.
  Result<Bytes> read(std::uint64_t offset, std::size_t length, std::string_view what);
  /// The last `length` bytes, at most kTailBytes. Only after the end of the file.
  Result<Bytes> tail(std::size_t length, std::string_view what);
  /// Whether these bytes have passed without being kept, so that `read` would refuse them. For what
  /// is worth a look only when it comes in order.
  [[nodiscard]] bool passed(std::uint64_t offset, std::size_t length) const noexcept;
  /// Bytes of the whole file. Only after its end.
  Result<std::uint64_t> size();

  /// The first bytes of the file: kHeadBytes, or all when the file is shorter.
  [[nodiscard]] Bytes head() const noexcept { return head_; }
  /// The last bytes so far, at most kTailBytes.
  [[nodiscard]] Bytes tail() const noexcept;

  // For the Inspector.

  /// Takes bytes from the front of `chunk` up to the point where a probe can go on; returns how
  /// many.
  std::size_t take(Bytes chunk);
  /// True once each time what the probe waits for (the head at first) has become complete.
  [[nodiscard]] bool ready() noexcept;
  /// No more bytes will come.
  void end() noexcept { ended_ = true; }
  /// Forgets what was wanted; windows are of no use any more and are freed.
  void release() noexcept;

private:
  struct Window {
    std::uint64_t offset;
    std::size_t length;
    std::vector<std::byte> bytes;
  };

  [[nodiscard]] bool window_open() const noexcept;
  [[nodiscard]] std::optional<Bytes> kept(std::uint64_t offset, std::size_t length) const noexcept;
  Error want(std::uint64_t offset, std::size_t length);
  void remember_tail(Bytes bytes);

  std::vector<std::byte> head_;
  std::vector<Window>
      windows_; ///< the last one may be incomplete: that is what the probe waits for
  std::size_t window_bytes_{0};
  std::vector<std::byte> tail_; ///< last bytes at its end, compacted when it is twice too long
  std::uint64_t position_{0};
  bool awaiting_{true};
  bool ended_{false};
};

} // namespace vitrine::formats
