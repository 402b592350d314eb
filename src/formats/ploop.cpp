// The expandable disk of Parallels, declared as ploop.
#include "formats/probe.hpp"

namespace vitrine::formats {
namespace {

constexpr std::string_view kMagicV1 =
    "WithoutFreeSpace"; // offsets count sectors, sizes have 32 bits
constexpr std::string_view kMagicV2 = "WithouFreSpacExt"; // offsets count clusters
constexpr std::size_t kHeader = 64;
constexpr std::uint64_t kSectorsMax = kVirtualBytesMax / 512;

Result<VirtualSize> inspect(Source& source) {
  auto const header = TRY(source.read(0, kHeader, "its header"));
  if (le32(header, 16) != 2) return unsafe("is of an unknown version");
  auto const cluster_sectors = le32(header, 28);
  auto const entries = le32(header, 32);
  auto sectors = le64(header, 36);
  if (stands_at(header, 0, kMagicV1)) sectors &= UINT32_MAX;
  auto const reach = product(entries, cluster_sectors);
  if (cluster_sectors == 0 || !reach || sectors > kSectorsMax || sectors > *reach) {
    return unsafe("has a virtual size out of range");
  }
  auto const table_bytes = std::uint64_t{entries} * 4;
  if (!lies_within(kHeader, table_bytes, TRY(source.size()))) {
    return unsafe("is cut: its block table lies beyond the end of the file");
  }
  return sectors * 512;
}

} // namespace

Probe ploop_probe() {
  return {
      .format = Format::ploop,
      .begins =
          [](Bytes head) { return stands_at(head, 0, kMagicV1) || stands_at(head, 0, kMagicV2); },
      .inspect = inspect};
}

} // namespace vitrine::formats
