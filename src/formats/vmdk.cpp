// VMDK: the sparse kinds that hold a whole disk in one file. A descriptor alone has its data
// elsewhere.
#include "formats/probe.hpp"
#include "formats/vmdk_descriptor.hpp"

#include <bit>

namespace vitrine::formats {
namespace {

constexpr std::string_view kSparse = "KDMV";
constexpr std::string_view kHostSparse =
    "COWD"; // extents of a host's own disks, never a disk alone
constexpr std::size_t kSector = 512;
constexpr std::uint64_t kSectorsMax = INT64_MAX / kSector;
constexpr std::uint64_t kDescriptorSectorsMax = 512; // 256 KiB; writers use 20 sectors
constexpr std::uint64_t kAtTheEnd = UINT64_MAX;      // of the grain directory: see the footer

struct Header {
  std::uint32_t version;
  std::uint64_t capacity_sectors;
  std::uint64_t grain_sectors;
  std::uint64_t descriptor_sector;
  std::uint64_t descriptor_sectors;
  std::uint32_t entries_per_table;
  std::uint64_t directory_sector;
  std::uint16_t compression;
};

Header header_in(Bytes bytes) {
  return {.version = le32(bytes, 4),
          .capacity_sectors = le64(bytes, 12),
          .grain_sectors = le64(bytes, 20),
          .descriptor_sector = le64(bytes, 28),
          .descriptor_sectors = le64(bytes, 36),
          .entries_per_table = le32(bytes, 44),
          .directory_sector = le64(bytes, 56),
          .compression = le16(bytes, 77)};
}

Result<> check_header(Header const& header) {
  if (header.version < 1 || header.version > 3) return unsafe("is of an unknown version");
  if (header.capacity_sectors == 0 || header.capacity_sectors > kVirtualBytesMax / kSector) {
    return unsafe("has a virtual size out of range");
  }
  if (!std::has_single_bit(header.grain_sectors) || header.grain_sectors > 0x20'0000) {
    return unsafe("has a grain size out of range");
  }
  if (header.entries_per_table == 0 || header.entries_per_table > 512) {
    return unsafe("has a grain table size out of range");
  }
  if (header.compression > 1) return unsafe("is compressed by an unknown method");
  if (header.descriptor_sector == 0 || header.descriptor_sectors == 0) {
    return unsafe("has no descriptor: it is a part of a disk");
  }
  if (header.descriptor_sectors > kDescriptorSectorsMax || header.descriptor_sector > kSectorsMax) {
    return unsafe("has a descriptor out of range");
  }
  return {};
}

// A stream ends with a footer, a header that knows where the directory is, and an end marker.
// Readers take the footer for the header, so it must not tell of another disk.
Result<Header> read_footer(Source& source, Header const& header) {
  auto const bytes = TRY(source.tail(2 * kSector, "its footer"));
  if (!stands_at(bytes, 0, kSparse) || !all_zero(bytes.last(kSector))) {
    return unsafe("is cut: it does not end with a footer");
  }
  auto const footer = header_in(bytes);
  if (footer.version != header.version || footer.capacity_sectors != header.capacity_sectors ||
      footer.grain_sectors != header.grain_sectors ||
      footer.descriptor_sector != header.descriptor_sector ||
      footer.descriptor_sectors != header.descriptor_sectors ||
      footer.entries_per_table != header.entries_per_table ||
      footer.compression != header.compression) {
    return unsafe("has a footer that contradicts its header");
  }
  return footer;
}

Result<> check_directory(Header const& header, std::uint64_t size) {
  auto const tables =
      pieces(pieces(header.capacity_sectors, header.grain_sectors), header.entries_per_table);
  auto const offset = product(header.directory_sector, kSector);
  auto const length = product(tables, 4);
  if (!offset || *offset == 0 || !length || !lies_within(*offset, *length, size)) {
    return unsafe("is cut: its grain directory lies beyond the end of the file");
  }
  return {};
}

Result<VirtualSize> inspect(Source& source) {
  auto const magic = TRY(source.read(0, 4, "its header"));
  if (stands_at(magic, 0, kHostSparse)) return unsafe("is an extent of a disk described elsewhere");
  if (!stands_at(magic, 0, kSparse)) return unsafe("is a descriptor whose data lies elsewhere");

  auto const header = header_in(TRY(source.read(0, kSector, "its header")));
  TRY(check_header(header));
  auto const descriptor = TRY(
      source.read(header.descriptor_sector * kSector,
                  static_cast<std::size_t>(header.descriptor_sectors * kSector), "its descriptor"));
  TRY(check_vmdk_descriptor(characters(descriptor)));

  auto const size = TRY(source.size());
  bool const stream = header.directory_sector == kAtTheEnd;
  auto const last = stream ? TRY(read_footer(source, header)) : header;
  TRY(check_directory(last, size));
  return header.capacity_sectors * kSector;
}

} // namespace

Probe vmdk_probe() {
  return {.format = Format::vmdk,
          .begins =
              [](Bytes head) {
                return stands_at(head, 0, kSparse) || stands_at(head, 0, kHostSparse) ||
                       is_vmdk_descriptor(characters(head));
              },
          .inspect = inspect};
}

} // namespace vitrine::formats
