#include "formats/zvhd_layout.hpp"

#include "formats/probe.hpp"

#include <bit>

namespace vitrine::formats::zvhd {

std::uint32_t checksum_of(Bytes header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kHeaderBytes; ++i) {
    if (i < at::checksum || i >= at::checksum + 4) sum += u8(header, i);
  }
  return ~sum;
}

bool checksum_fits(Bytes header) { return le32(header, at::checksum) == checksum_of(header); }

bool is_second(Bytes header) { return stands_at(header, 0, kCookie2); }

std::uint64_t block_bytes_in(Bytes header) {
  auto const told = is_second(header) ? le32(header, at::block_size) : 0U;
  return told == 0 ? kBlockBytes : told;
}

Result<> check_header(Bytes header) {
  if (!checksum_fits(header)) return unsafe("is damaged: the checksum of its header is wrong");
  TRY(check_virtual_size(le64(header, at::current_size)));
  auto const block_bytes = block_bytes_in(header);
  if (!std::has_single_bit(block_bytes) || block_bytes < kBlockBytesMin ||
      block_bytes > kBlockBytesMax) {
    return unsafe("has a block size out of range");
  }
  return {};
}

std::uint64_t record_bytes(std::uint64_t stored) {
  return pieces(kRecordHeader + stored + kRecordEnd.size(), kUnit) * kUnit;
}

} // namespace vitrine::formats::zvhd
