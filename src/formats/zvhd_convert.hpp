// ZVHD and ZVHD2 turned into the plain disk, and the plain disk into them. Memory is bounded: one
// block of the disk (2 MiB; up to 32 MiB where a ZVHD2 has such), what is stored of it, and for
// writing a ZVHD2 about 1 MiB for each TiB of the disk.
#pragma once

#include "base/stored_bytes.hpp"
#include "formats/byte_sink.hpp"
#include "formats/format.hpp"

#include <cstdint>

namespace vitrine::formats {

/// The largest disk that `write_zvhd` takes.
constexpr std::uint64_t kZvhdDiskBytesMax = std::uint64_t{16} << 40U;

/// Writes the disk in a ZVHD or ZVHD2, whichever the bytes are, at its full length; returns that
/// length. Everything is checked on the way, so bytes may have been written when it fails.
/// Errors: Fault::format_unsafe, its detail reads on after the name of the format; Fault::too_large
/// when the disk is larger than `disk_bytes_max`, before anything is written; those of source,
/// sink and progress.
Result<std::uint64_t> read_zvhd(StoredBytes& source, std::uint64_t disk_bytes_max, ByteSink& sink,
                                Progress const& progress);

/// Writes the file of that format, `Format::zvhd` or `Format::zvhd2`, that holds a plain disk. The
/// same disk makes the same file. A size that is no multiple of 512 is rounded up to one. Errors:
/// Fault::too_large; those of disk, sink and progress.
Result<> write_zvhd(StoredBytes& disk, Format format, ByteSink& sink, Progress const& progress);

} // namespace vitrine::formats
