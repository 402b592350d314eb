// QED, the QEMU enhanced disk.
#include "formats/probe.hpp"

#include <bit>

namespace vitrine::formats {
namespace {

constexpr std::size_t kHeader = 64;
constexpr std::uint64_t kBackingFile = 1U << 0U;
constexpr std::uint64_t kNeedCheck = 1U << 1U;

Result<VirtualSize> inspect(Source& source) {
  auto const header = TRY(source.read(0, kHeader, "its header"));
  auto const cluster_bytes = le32(header, 4);
  auto const table_clusters = le32(header, 8);
  auto const header_clusters = le32(header, 12);
  auto const features = le64(header, 16);
  auto const l1_offset = le64(header, 40);
  auto const size_bytes = le64(header, 48);
  if ((features & kBackingFile) != 0 || le32(header, 56) != 0 || le32(header, 60) != 0) {
    return unsafe("names a backing file");
  }
  if ((features & ~kNeedCheck) != 0) return unsafe("needs features that are not known");
  if (!std::has_single_bit(cluster_bytes) || cluster_bytes < 4096 || cluster_bytes > 64U << 20U ||
      !std::has_single_bit(table_clusters) || table_clusters > 16) {
    return unsafe("has a cluster or table size out of range");
  }
  auto const table_bytes = std::uint64_t{cluster_bytes} * table_clusters;
  auto const header_bytes = std::uint64_t{cluster_bytes} * header_clusters;
  auto const entries = table_bytes / 8; // at most 2^27
  auto const reach = product(entries * entries, cluster_bytes);
  TRY(check_virtual_size(size_bytes));
  if (size_bytes % 512 != 0 || (reach && size_bytes > *reach)) {
    return unsafe("has a virtual size out of range");
  }
  if (header_clusters == 0 || l1_offset < header_bytes || l1_offset % cluster_bytes != 0) {
    return unsafe("has a misplaced first-level table");
  }
  if (!lies_within(l1_offset, table_bytes, TRY(source.size()))) {
    return unsafe("is cut: its first-level table lies beyond the end of the file");
  }
  return size_bytes;
}

} // namespace

Probe qed_probe() {
  return {.format = Format::qed,
          .begins = [](Bytes head) { return stands_at(head, 0, std::string_view("QED\0", 4)); },
          .inspect = inspect};
}

} // namespace vitrine::formats
