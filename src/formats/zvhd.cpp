// ZVHD and ZVHD2: a header block like a VHD footer, compressed blocks, and the header block again.
#include "formats/probe.hpp"

namespace vitrine::formats {
namespace {

constexpr std::size_t kBlock = 4096; // of the header; everything is padded to it
constexpr std::size_t kFooter = 512;
constexpr std::size_t kChecksumOffset = 64;
constexpr std::string_view kRecord{"hwstream bg\0", 12};
constexpr std::string_view kZvhd{"stream\0", 7};
constexpr std::string_view kZvhd2{"z2strm\0", 7};

std::uint64_t size_in(Bytes header) { return le64(header, 48); }

bool checksum_fits(Bytes block) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kFooter; ++i) {
    if (i < kChecksumOffset || i >= kChecksumOffset + 4) sum += u8(block, i);
  }
  return le32(block, kChecksumOffset) == ~sum;
}

// The cookie is plain text, so something else must agree before a file is taken for one of these.
bool begins_with(Bytes head, std::string_view cookie) {
  return head.size() >= kFooter && stands_at(head, 0, cookie) &&
         (checksum_fits(head) || stands_at(head, kBlock, kRecord));
}

Result<VirtualSize> inspect(Source& source) {
  auto const header = TRY(source.read(0, kBlock, "its header"));
  if (!checksum_fits(header)) return unsafe("is damaged: the checksum of its header is wrong");
  auto const size_bytes = size_in(header);
  TRY(check_virtual_size(size_bytes));
  auto const size = TRY(source.size());
  auto const last = TRY(source.tail(kBlock, "its last header"));
  auto const cookie = characters(part(header, 0, 7));
  if (size < 2 * kBlock || !stands_at(last, 0, cookie) || size_in(last) != size_bytes) {
    return unsafe("is cut: its header is not repeated at the end");
  }
  return size_bytes;
}

} // namespace

Probe zvhd_probe() {
  return {.format = Format::zvhd,
          .begins = [](Bytes head) { return begins_with(head, kZvhd); },
          .inspect = inspect};
}

Probe zvhd2_probe() {
  return {.format = Format::zvhd2,
          .begins = [](Bytes head) { return begins_with(head, kZvhd2); },
          .inspect = inspect};
}

} // namespace vitrine::formats
