// ZVHD and ZVHD2: a header block like a VHD footer, records of compressed blocks of the disk, and
// the header block again. ZVHD2 has an index and a bitmap before that last block.
#include "formats/probe.hpp"

#include <bit>
#include <utility>

namespace vitrine::formats {
namespace {

constexpr std::size_t kBlock = 4096; // of the header; everything is padded to it
constexpr std::size_t kFooter = 512;
constexpr std::size_t kChecksumOffset = 64;
constexpr std::size_t kRecordHeader = 48;
constexpr std::uint64_t kDiskBlockMin = 1U << 20U;
constexpr std::uint64_t kDiskBlockMax = 32U << 20U;
constexpr std::string_view kRecord{"hwstream bg\0", 12};
constexpr std::string_view kRecordEnd{"end\0", 4};
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

// Bytes of the disk in a record. Of ZVHD2 the header tells; what came before it has always 2 MiB.
std::uint64_t block_bytes_in(Bytes header) {
  auto const told = stands_at(header, 0, kZvhd2) ? le32(header, 88) : 0U;
  return told == 0 ? 2U << 20U : told;
}

Result<> check_header(Bytes header) {
  if (!checksum_fits(header)) return unsafe("is damaged: the checksum of its header is wrong");
  TRY(check_virtual_size(size_in(header)));
  auto const block_bytes = block_bytes_in(header);
  if (!std::has_single_bit(block_bytes) || block_bytes < kDiskBlockMin ||
      block_bytes > kDiskBlockMax) {
    return unsafe("has a block size out of range");
  }
  return {};
}

// Index and bitmap: the last header tells where they are.
Result<> check_index(Bytes last, std::uint64_t size) {
  for (auto const& [place, length] : {std::pair{96U, 112U}, std::pair{104U, 116U}}) {
    if (!lies_within(le64(last, place), le32(last, length), size - kBlock)) {
      return unsafe("is cut: its index lies beyond the end of the file");
    }
  }
  return {};
}

Result<VirtualSize> inspect(Source& source) {
  auto const header = TRY(source.read(0, kBlock, "its header"));
  TRY(check_header(header));
  auto const size = TRY(source.size());
  auto const last = TRY(source.tail(kBlock, "its last header"));
  auto const cookie = characters(part(header, 0, 7));
  if (size < 2 * kBlock || !stands_at(last, 0, cookie) || size_in(last) != size_in(header)) {
    return unsafe("is cut: its header is not repeated at the end");
  }
  if (stands_at(last, 0, kZvhd2)) TRY(check_index(last, size));
  return size_in(header);
}

/// From record to record, without a look at what is compressed in them.
class Records final : public Walk {
public:
  explicit Records(Bytes header)
      : Walk(kBlock, kRecordHeader), in_order_(stands_at(header, 0, kZvhd)),
        block_bytes_(block_bytes_in(header)), blocks_(pieces(size_in(header), block_bytes_)) {}

  Result<> finish(Source& source) override {
    if (!end_) return unsafe("is cut: the file ends before the end of its records");
    if (in_order_ && *end_ + kBlock != TRY(source.size())) {
      return unsafe("has bytes behind its last record that are none");
    }
    return {};
  }

protected:
  Result<> piece(Bytes bytes) override {
    if (std::exchange(closing_, false)) {
      if (!stands_at(bytes, 0, kRecordEnd)) return unsafe("has a record without its end");
      next(0, kRecordHeader);
      return {};
    }
    if (stands_at(bytes, 0, kRecord)) return open_record(bytes);
    end_ = position() - kRecordHeader;
    rest();
    return {};
  }

private:
  // What is stored of a block may be a little longer than the block, when nothing can be
  // compressed. Readers have room for twice its size.
  Result<> open_record(Bytes header) {
    std::uint64_t const stored = le32(header, 12);
    std::uint64_t const block = le32(header, 16);
    if (stored == 0 || stored > 2 * block_bytes_) {
      return unsafe("has a record of a size out of range");
    }
    if (block >= blocks_ || (in_order_ && block < next_block_)) {
      return unsafe("has a record of a block out of range");
    }
    next_block_ = block + 1;
    if (++records_ > blocks_) return unsafe("has more records than blocks");
    auto const used = kRecordHeader + stored + kRecordEnd.size();
    next(pieces(used, kBlock) * kBlock - kRecordHeader - kRecordEnd.size(), kRecordEnd.size());
    closing_ = true;
    return {};
  }

  bool const in_order_; ///< ZVHD is read from its start to its end; ZVHD2 by its index
  std::uint64_t const block_bytes_;
  std::uint64_t const blocks_;
  std::uint64_t next_block_{0};
  std::uint64_t records_{0};
  bool closing_{false};                ///< the end of a record comes next
  std::optional<std::uint64_t> end_{}; ///< of the records
};

std::unique_ptr<Walk> records(Bytes head) { return std::make_unique<Records>(head.first(kFooter)); }

} // namespace

Probe zvhd_probe() {
  return {.format = Format::zvhd,
          .begins = [](Bytes head) { return begins_with(head, kZvhd); },
          .inspect = inspect,
          .walk = records};
}

Probe zvhd2_probe() {
  return {.format = Format::zvhd2,
          .begins = [](Bytes head) { return begins_with(head, kZvhd2); },
          .inspect = inspect,
          .walk = records};
}

} // namespace vitrine::formats
