// VDI, the disk of VirtualBox.
#include "formats/probe.hpp"

#include <bit>

namespace vitrine::formats {
namespace {

constexpr std::size_t kHeader = 0x200;
constexpr std::size_t kSignatureOffset = 0x40;
constexpr std::uint32_t kSignature = 0xbeda107f;
constexpr std::uint32_t kVersion = 0x0001'0001;
constexpr std::uint32_t kDynamic = 1;
constexpr std::uint32_t kStatic = 2;
constexpr std::uint32_t kBlocksMax = 0x3fff'ffff;

Result<VirtualSize> inspect(Source& source) {
  auto const header = TRY(source.read(0, kHeader, "its header"));
  if (le32(header, 0x44) != kVersion) return unsafe("is of an unknown version");
  auto const type = le32(header, 0x4c);
  if (type != kDynamic && type != kStatic) return unsafe("is not a whole disk: it needs a parent");
  // The image before this one and the parent: a disk of its own has neither.
  if (!all_zero(part(header, 0x1a8, 32))) return unsafe("names a parent disk");

  std::uint64_t const map_offset = le32(header, 0x154);
  std::uint64_t const data_offset = le32(header, 0x158);
  auto const size_bytes = le64(header, 0x170);
  auto const block_bytes = le32(header, 0x178);
  auto const blocks = le32(header, 0x180);
  auto const blocks_allocated = le32(header, 0x184);
  if (le32(header, 0x168) != 512) return unsafe("has a sector size out of range");
  if (!std::has_single_bit(block_bytes) || block_bytes < 4096 || blocks > kBlocksMax ||
      blocks_allocated > blocks) {
    return unsafe("has a block size or count out of range");
  }
  TRY(check_virtual_size(size_bytes));
  auto const reach = product(blocks, block_bytes);
  if (!reach || size_bytes > *reach) return unsafe("has a virtual size out of range");
  auto const map_bytes = std::uint64_t{blocks} * 4;
  if (map_offset < kHeader || map_offset % 512 != 0 || data_offset % 512 != 0 ||
      data_offset < map_offset + map_bytes) {
    return unsafe("has a misplaced block map");
  }
  auto const data_bytes = std::uint64_t{blocks_allocated} * block_bytes;
  if (!lies_within(data_offset, data_bytes, TRY(source.size()))) {
    return unsafe("is cut: its blocks lie beyond the end of the file");
  }
  return size_bytes;
}

} // namespace

Probe vdi_probe() {
  return {.format = Format::vdi,
          .begins =
              [](Bytes head) {
                return head.size() >= kSignatureOffset + 4 &&
                       le32(head, kSignatureOffset) == kSignature;
              },
          .inspect = inspect};
}

} // namespace vitrine::formats
