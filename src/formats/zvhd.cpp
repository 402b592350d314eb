// ZVHD and ZVHD2: a header block like a VHD footer, records of compressed blocks of the disk, and
// the header block again. ZVHD2 has an index and a bitmap before that last block.
#include "formats/probe.hpp"
#include "formats/zvhd_layout.hpp"

#include <utility>

namespace vitrine::formats {
namespace {

using namespace zvhd;

std::uint64_t size_in(Bytes header) { return le64(header, at::current_size); }

// The cookie is plain text, so something else must agree before a file is taken for one of these.
bool begins_with(Bytes head, std::string_view cookie) {
  return head.size() >= kHeaderBytes && stands_at(head, 0, cookie) &&
         (checksum_fits(head) || stands_at(head, kUnit, kRecord));
}

// Index and bitmap: the last header tells where they are.
Result<> check_index(Bytes last, std::uint64_t size) {
  for (auto const& [place, length] : {std::pair{at::index_offset, at::index_size},
                                      std::pair{at::bitmap_offset, at::bitmap_size}}) {
    if (!lies_within(le64(last, place), le32(last, length), size - kUnit)) {
      return unsafe("is cut: its index lies beyond the end of the file");
    }
  }
  return {};
}

Result<VirtualSize> inspect(Source& source) {
  auto const header = TRY(source.read(0, kUnit, "its header"));
  TRY(check_header(header));
  auto const size = TRY(source.size());
  auto const last = TRY(source.tail(kUnit, "its last header"));
  auto const cookie = characters(part(header, 0, 7));
  if (size < 2 * kUnit || !stands_at(last, 0, cookie) || size_in(last) != size_in(header)) {
    return unsafe("is cut: its header is not repeated at the end");
  }
  if (is_second(last)) TRY(check_index(last, size));
  return size_in(header);
}

/// From record to record, without a look at what is compressed in them.
class Records final : public Walk {
public:
  explicit Records(Bytes header)
      : Walk(kUnit, kRecordHeader), in_order_(!is_second(header)),
        block_bytes_(block_bytes_in(header)), blocks_(pieces(size_in(header), block_bytes_)) {}

  Result<> finish(Source& source) override {
    if (!end_) return unsafe("is cut: the file ends before the end of its records");
    if (in_order_ && *end_ + kUnit != TRY(source.size())) {
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
    std::uint64_t const stored = le32(header, record_at::stored_size);
    std::uint64_t const block = le32(header, record_at::block);
    if (stored == 0 || stored > 2 * block_bytes_) {
      return unsafe("has a record of a size out of range");
    }
    if (block >= blocks_ || (in_order_ && block < next_block_)) {
      return unsafe("has a record of a block out of range");
    }
    next_block_ = block + 1;
    if (++records_ > blocks_) return unsafe("has more records than blocks");
    next(record_bytes(stored) - kRecordHeader - kRecordEnd.size(), kRecordEnd.size());
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

std::unique_ptr<Walk> records(Bytes head) {
  return std::make_unique<Records>(head.first(kHeaderBytes));
}

} // namespace

Probe zvhd_probe() {
  return {.format = Format::zvhd,
          .begins = [](Bytes head) { return begins_with(head, kCookie); },
          .inspect = inspect,
          .walk = records};
}

Probe zvhd2_probe() {
  return {.format = Format::zvhd2,
          .begins = [](Bytes head) { return begins_with(head, kCookie2); },
          .inspect = inspect,
          .walk = records};
}

} // namespace vitrine::formats
