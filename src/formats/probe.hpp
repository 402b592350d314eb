// A probe: how one format is recognised and inspected. Each is defined in the file of its format.
#pragma once

#include "formats/format.hpp"
#include "formats/source.hpp"
#include "formats/walk.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace vitrine::formats {

/// Bytes of the disk inside; nothing when the format does not tell.
using VirtualSize = std::optional<std::uint64_t>;

/// The largest disk that anybody may claim. An image asks for a disk of `min_disk` GiB, which the
/// API counts in 31 bits: no server could ever hold a larger one. Also below what fits 63 bits
/// after a reader has rounded it up.
constexpr std::uint64_t kVirtualBytesMax = std::uint64_t{INT32_MAX} << 30U;

/// Whether a server could have a disk of that size; Fault::format_unsafe. Asked before the size is
/// multiplied or stored: a file of a few KiB can claim anything.
Result<> check_virtual_size(std::uint64_t bytes);

struct Probe {
  Format format;
  /// Whether the first bytes (Source::head) are of this format. Must be exact enough never to take
  /// a plain disk for it.
  bool (*begins)(Bytes head);
  /// Reads the headers. Fault::format_unsafe when they are cut, broken, or refer to anything
  /// outside. See Source for the rules.
  Result<VirtualSize> (*inspect)(Source& source);
  /// Whether the last bytes (Source::tail) are of this format; null when its end tells nothing.
  bool (*ends)(Bytes tail) = nullptr;
  /// Whether such a file serves as a plain disk as well; null when it never does.
  bool (*serves_plain)(Bytes head) = nullptr;
  /// What looks at the whole of the file beside `inspect`, given its head; null when nothing does.
  /// Its refusals are of the same kind.
  std::unique_ptr<Walk> (*walk)(Bytes head) = nullptr;
};

#define X(name, nature) Probe name##_probe();
VITRINE_FORMATS(X)
#undef X

/// All probes, in the order of the list.
std::span<Probe const> probes();

} // namespace vitrine::formats
