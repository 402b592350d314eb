// qcow, the first version of the format.
#include "formats/probe.hpp"

namespace vitrine::formats {
namespace {

constexpr std::size_t kHeader = 48;

Result<VirtualSize> inspect(Source& source) {
  auto const header = TRY(source.read(0, kHeader, "its header"));
  if (be64(header, 8) != 0 || be32(header, 16) != 0) return unsafe("names a backing file");
  auto const size_bytes = be64(header, 24);
  auto const cluster_bits = u8(header, 32);
  auto const l2_bits = u8(header, 33);
  auto const l1_offset = be64(header, 40);
  if (cluster_bits < 9 || cluster_bits > 16 || l2_bits < 6 || l2_bits > 13) {
    return unsafe("has a cluster or table size out of range");
  }
  if (size_bytes == 0) return unsafe("has a virtual size out of range");
  TRY(check_virtual_size(size_bytes));
  if (be32(header, 36) > 1) return unsafe("is encrypted by an unknown method");
  if (l1_offset < kHeader) return unsafe("has a misplaced first-level table");

  auto const l1_entries = pieces(size_bytes, std::uint64_t{1} << (cluster_bits + l2_bits));
  auto const l1_bytes = product(l1_entries, 8);
  if (!l1_bytes || !lies_within(l1_offset, *l1_bytes, TRY(source.size()))) {
    return unsafe("is cut: its first-level table lies beyond the end of the file");
  }
  return size_bytes;
}

} // namespace

Probe qcow_probe() {
  return {.format = Format::qcow,
          .begins =
              [](Bytes head) { return stands_at(head, 0, std::string_view("QFI\xfb\0\0\0\1", 8)); },
          .inspect = inspect};
}

} // namespace vitrine::formats
