// VHDX: two headers, a region table in two copies, and the metadata that tells the size and the
// parent.
#include "formats/probe.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <vector>

namespace vitrine::formats {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::size_t kHeader = 4 * kKiB;
constexpr std::size_t kTable = 64 * kKiB; // region table, and metadata table
constexpr std::uint64_t kSizeMax = 64ULL << 40U;
constexpr std::uint32_t kEntriesMax = 2047;
constexpr std::size_t kGuid = 16;

// GUIDs as they are stored: the first three fields little-endian.
constexpr auto kBlockTable = "\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08"sv;
constexpr auto kMetadata = "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"sv;
constexpr auto kFileParameters =
    "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"sv;
constexpr auto kVirtualSize = "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8"sv;
constexpr auto kDiskId = "\xab\x12\xca\xbe\xe6\xb2\x23\x45\x93\xef\xc3\x09\xe0\x00\xc7\x46"sv;
constexpr auto kLogicalSector =
    "\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f"sv;
constexpr auto kPhysicalSector =
    "\xc7\x48\xa3\xcd\x5d\x44\x71\x44\x9c\xc9\xe9\x88\x52\x51\xc5\x56"sv;
constexpr auto kParentLocator =
    "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c"sv;

// CRC-32C (Castagnoli), one entry a byte value.
constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1U ^ (crc & 1U ? 0x82f6'3b78U : 0U);
    table[i] = crc;
  }
  return table;
}();

// The checksum stands at 4 and counts as zero in its own sum.
bool checksum_fits(Bytes bytes) {
  std::uint32_t crc = UINT32_MAX;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto const value = i >= 4 && i < 8 ? 0U : u8(bytes, i);
    crc = crc >> 8U ^ kCrcTable[(crc ^ value) & 0xffU];
  }
  return le32(bytes, 4) == ~crc;
}

struct Extent {
  std::uint64_t offset{0};
  std::uint64_t length{0};

  [[nodiscard]] std::uint64_t end() const { return offset + length; }
};

struct Regions {
  std::optional<Extent> block_table;
  std::optional<Extent> metadata;
};

// Regions live beyond the first MiB, in whole MiB; returns an error else, so that `end` cannot
// overflow.
Result<Extent> extent_of(std::uint64_t offset, std::uint64_t length) {
  if (offset < kMiB || offset > INT64_MAX || offset % kMiB != 0 || length == 0 ||
      length % kMiB != 0) {
    return unsafe("has a misplaced region");
  }
  return Extent{offset, length};
}

// The newer of the two headers counts. Returns the log's place.
Result<Extent> check_headers(Bytes first, Bytes second) {
  std::optional<Bytes> current;
  for (auto const header : {first, second}) {
    if (!stands_at(header, 0, "head") || !checksum_fits(header)) continue;
    if (!current || le64(header, 8) > le64(*current, 8)) {
      current = header;
    } else if (le64(header, 8) == le64(*current, 8) && !std::ranges::equal(header, *current)) {
      return unsafe("has two headers that contradict each other");
    }
  }
  if (!current) return unsafe("is damaged: neither of its headers is whole");
  if (le16(*current, 66) != 1 || le16(*current, 64) != 0) return unsafe("is of an unknown version");
  if (!all_zero(part(*current, 48, kGuid))) {
    return unsafe("was not closed: its log must be replayed before it can be read");
  }
  auto const length = le32(*current, 68);
  return length == 0 ? Extent{} : TRY(extent_of(le64(*current, 72), length));
}

Result<Regions> read_regions(Bytes table, Extent log) {
  auto const count = le32(table, 8);
  if (count > kEntriesMax) return unsafe("has too many regions");
  Regions regions;
  std::vector<Extent> extents;
  if (log.length > 0) extents.push_back(log);
  for (std::size_t i = 0; i < count; ++i) {
    auto const entry = part(table, 16 + i * 32, 32);
    auto const extent = TRY(extent_of(le64(entry, 16), le32(entry, 24)));
    extents.push_back(extent);
    auto* const known = stands_at(entry, 0, kBlockTable) ? &regions.block_table
                        : stands_at(entry, 0, kMetadata) ? &regions.metadata
                                                         : nullptr;
    if (known == nullptr) {
      if ((le32(entry, 28) & 1U) != 0) return unsafe("needs a region that is not known");
    } else if (known->has_value()) {
      return unsafe("has the same region twice");
    } else {
      *known = extent;
    }
  }
  std::ranges::sort(extents, {}, &Extent::offset);
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i - 1].end() > extents[i].offset) return unsafe("has regions that overlap");
  }
  if (!regions.block_table || !regions.metadata) return unsafe("lacks a region");
  return regions;
}

// Both copies must be equal where both are whole: a reader may take either.
Result<Bytes> choose_table(Bytes first, Bytes second) {
  auto const whole = [](Bytes table) {
    return stands_at(table, 0, "regi") && checksum_fits(table);
  };
  if (whole(first)) {
    if (whole(second) && !std::ranges::equal(first, second)) {
      return unsafe("has two region tables that contradict each other");
    }
    return first;
  }
  if (!whole(second)) return unsafe("is damaged: neither of its region tables is whole");
  return second;
}

struct Item {
  std::string_view id;
  std::size_t bytes;
  std::optional<std::uint64_t> offset{}; ///< from the start of the file
  std::uint64_t value{0};
};

struct Metadata {
  Item parameters{kFileParameters, 8};
  Item size{kVirtualSize, 8};
  Item sector{kLogicalSector, 4};

  std::array<Item*, 3> items() { return {&parameters, &size, &sector}; }
};

Result<> find_item(Bytes entry, Extent region, Metadata& metadata) {
  auto const length = le32(entry, 20);
  std::uint64_t const offset = le32(entry, 16);
  if (stands_at(entry, 0, kParentLocator)) return unsafe("names a parent disk");
  for (auto* const item : metadata.items()) {
    if (!stands_at(entry, 0, item->id)) continue;
    if (item->offset) return unsafe("has the same metadata twice");
    if (offset < kTable || length != item->bytes || !lies_within(offset, length, region.length)) {
      return unsafe("has misplaced metadata");
    }
    item->offset = region.offset + offset;
    return {};
  }
  constexpr std::uint32_t kRequired = 4;
  bool const harmless = stands_at(entry, 0, kDiskId) || stands_at(entry, 0, kPhysicalSector);
  if (!harmless && (le32(entry, 24) & kRequired) != 0) {
    return unsafe("needs metadata that is not known");
  }
  return {};
}

Result<Metadata> read_metadata(Source& source, Extent region) {
  auto const table = TRY(source.read(region.offset, kTable, "its metadata"));
  if (!stands_at(table, 0, "metadata")) return unsafe("has no metadata table");
  auto const count = le16(table, 10);
  if (count > kEntriesMax) return unsafe("has too much metadata");
  Metadata metadata;
  for (std::size_t i = 0; i < count; ++i) {
    TRY(find_item(part(table, 32 + i * 32, 32), region, metadata));
  }
  auto items = metadata.items();
  std::ranges::sort(items, {}, &Item::offset);
  for (auto* const item : items) {
    if (!item->offset) return unsafe("lacks metadata");
    auto const bytes = TRY(source.read(*item->offset, item->bytes, "its metadata"));
    item->value = item->bytes == 8 ? le64(bytes, 0) : le32(bytes, 0);
  }
  return metadata;
}

// Also proves that the block table holds an entry for each block, and for each bitmap between them.
Result<> check_metadata(Metadata const& metadata, Extent block_table) {
  constexpr std::uint64_t kHasParent = 2;
  auto const block_bytes = metadata.parameters.value & UINT32_MAX;
  auto const flags = metadata.parameters.value >> 32U;
  auto const size_bytes = metadata.size.value;
  auto const sector_bytes = metadata.sector.value;
  if ((flags & kHasParent) != 0) return unsafe("is a differencing disk: it names a parent");
  if (sector_bytes != 512 && sector_bytes != 4096) return unsafe("has a sector size out of range");
  if (!std::has_single_bit(block_bytes) || block_bytes < kMiB || block_bytes > 256 * kMiB) {
    return unsafe("has a block size out of range");
  }
  if (size_bytes == 0 || size_bytes > kSizeMax || size_bytes % sector_bytes != 0) {
    return unsafe("has a virtual size out of range");
  }
  auto const blocks = pieces(size_bytes, block_bytes);
  auto const blocks_per_bitmap = (std::uint64_t{1} << 23U) * sector_bytes / block_bytes;
  if ((blocks + (blocks - 1) / blocks_per_bitmap) * 8 > block_table.length) {
    return unsafe("has a block table too small for its virtual size");
  }
  return {};
}

Result<VirtualSize> inspect(Source& source) {
  auto const header_1 = TRY(source.read(64 * kKiB, kHeader, "its headers"));
  auto const header_2 = TRY(source.read(128 * kKiB, kHeader, "its headers"));
  auto const log = TRY(check_headers(header_1, header_2));
  auto const table_1 = TRY(source.read(192 * kKiB, kTable, "its region tables"));
  auto const table_2 = TRY(source.read(256 * kKiB, kTable, "its region tables"));
  auto const table = TRY(choose_table(table_1, table_2));
  auto const regions = TRY(read_regions(table, log));
  auto const metadata = TRY(read_metadata(source, *regions.metadata));
  TRY(check_metadata(metadata, *regions.block_table));

  auto const size = TRY(source.size());
  for (auto const extent : {log, *regions.block_table, *regions.metadata}) {
    if (extent.end() > size) return unsafe("is cut: a region lies beyond the end of the file");
  }
  return metadata.size.value;
}

} // namespace

Probe vhdx_probe() {
  return {.format = Format::vhdx,
          .begins = [](Bytes head) { return stands_at(head, 0, "vhdxfile"); },
          .inspect = inspect};
}

} // namespace vitrine::formats
