// Where things stand in a ZVHD or ZVHD2. All numbers are little-endian. The layout is described in
// docs/decisions/0025-zvhd.md.
#pragma once

#include "base/result.hpp"
#include "formats/reader.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vitrine::formats::zvhd {

constexpr std::size_t kUnit = 4096; ///< of the header; everything is padded to it
constexpr std::size_t kHeaderBytes = 512;
constexpr std::size_t kRecordHeader = 48;
constexpr std::size_t kSector = 512;
constexpr std::uint64_t kBlockBytes = 2U << 20U; ///< of ZVHD, and the default of ZVHD2
constexpr std::uint64_t kBlockBytesMin = 1U << 20U;
constexpr std::uint64_t kBlockBytesMax = 32U << 20U;
constexpr std::string_view kCookie{"stream\0", 7};
constexpr std::string_view kCookie2{"z2strm\0", 7};
constexpr std::string_view kRecord{"hwstream bg\0", 12};
constexpr std::string_view kRecordEnd{"end\0", 4};

/// Places in the header block.
namespace at {
constexpr std::size_t features = 8;
constexpr std::size_t file_version = 12;
constexpr std::size_t data_offset = 16;
constexpr std::size_t creator = 28;
constexpr std::size_t creator_version = 32;
constexpr std::size_t original_size = 40;
constexpr std::size_t current_size = 48;
constexpr std::size_t geometry = 56;
constexpr std::size_t disk_type = 60;
constexpr std::size_t checksum = 64;
// Of ZVHD2 only; what tells of the index counts in the last block alone.
constexpr std::size_t version2 = 87;
constexpr std::size_t block_size = 88;
constexpr std::size_t blocks = 92;
constexpr std::size_t index_offset = 96;
constexpr std::size_t bitmap_offset = 104;
constexpr std::size_t index_size = 112;
constexpr std::size_t bitmap_size = 116;
constexpr std::size_t index_segment_size = 120;
constexpr std::size_t bitmap_segment_size = 124;
constexpr std::size_t index_segments = 128;
constexpr std::size_t bitmap_segments = 132;
constexpr std::size_t records = 136;
constexpr std::size_t index_has_zero_blocks = 140;
constexpr std::size_t packing = 141;
} // namespace at

/// Places in the header of a record.
namespace record_at {
constexpr std::size_t stored_size = 12;
constexpr std::size_t block = 16;
constexpr std::size_t plain_size = 24;
} // namespace record_at

/// Index of ZVHD2: an entry for each record, or for each block; a bit for each block.
constexpr std::size_t kIndexEntry = 16; ///< u64 offset, u32 block, u32 bytes with padding
constexpr std::size_t kIndexSegment = 512U << 10U;
constexpr std::size_t kBitmapSegment = 4096; ///< bits for as many blocks as a segment has entries

/// One's complement of the sum of bytes, as VHD has it; the checksum itself counts as zero.
std::uint32_t checksum_of(Bytes header);
/// Whether the checksum in a header is right.
bool checksum_fits(Bytes header);
/// Whether it is a ZVHD2.
bool is_second(Bytes header);
/// Bytes of the disk in a record. Of ZVHD2 the header tells; ZVHD always has 2 MiB.
std::uint64_t block_bytes_in(Bytes header);
/// Checksum, size of the disk and of its blocks. Fault::format_unsafe.
Result<> check_header(Bytes header);
/// Bytes that a record takes with its header, end and padding.
std::uint64_t record_bytes(std::uint64_t stored);

} // namespace vitrine::formats::zvhd
