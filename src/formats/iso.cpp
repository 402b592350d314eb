// ISO 9660, with or without a boot sector or partition table before it (hybrid images).
#include "formats/probe.hpp"

namespace vitrine::formats {
namespace {

constexpr std::size_t kSector = 2048;
constexpr std::size_t kFirstDescriptor = 16 * kSector;
constexpr std::string_view kIdentifier = "CD001";
constexpr std::uint8_t kPrimary = 1;
constexpr std::uint8_t kTerminator = 255;
constexpr int kDescriptorsMax = 16;
// Writers may leave off the run-out of a track (150 sectors) that the volume counts as its own.
constexpr std::uint64_t kRunOutBytes = 150 * kSector;

// Hybrid images have a partition table and are written to USB sticks and disks as they are.
bool has_boot_sector(Bytes head) { return stands_at(head, 510, "\x55\xaa"); }

Result<VirtualSize> inspect(Source& source) {
  std::optional<std::uint64_t> volume_bytes;
  for (int i = 0; i < kDescriptorsMax; ++i) {
    auto const at = kFirstDescriptor + static_cast<std::size_t>(i) * kSector;
    auto const descriptor = TRY(source.read(at, kSector, "its volume descriptors"));
    auto const type = u8(descriptor, 0);
    if (!stands_at(descriptor, 1, kIdentifier) || type == kTerminator) break;
    if (type != kPrimary || volume_bytes) continue;
    // Both numbers are stored in both byte orders, one after the other.
    auto const blocks = le32(descriptor, 80);
    auto const block_bytes = le16(descriptor, 128);
    if (blocks != be32(descriptor, 84) || block_bytes != be16(descriptor, 130)) {
      return unsafe("has a volume descriptor that contradicts itself");
    }
    if (block_bytes != 512 && block_bytes != 1024 && block_bytes != kSector) {
      return unsafe("has a block size out of range");
    }
    volume_bytes = std::uint64_t{blocks} * block_bytes;
  }
  if (!volume_bytes) return unsafe("has no primary volume descriptor");
  auto const size = TRY(source.size());
  if (*volume_bytes > size + kRunOutBytes) {
    return unsafe("is cut: its volume ends beyond the end of the file");
  }
  return size;
}

} // namespace

Probe iso_probe() {
  return {.format = Format::iso,
          .begins = [](Bytes head) { return stands_at(head, kFirstDescriptor + 1, kIdentifier); },
          .inspect = inspect,
          .serves_plain = has_boot_sector};
}

} // namespace vitrine::formats
