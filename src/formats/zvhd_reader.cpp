// Reads ZVHD, and ZVHD2 without an index, from record to record; ZVHD2 by its index and bitmap,
// each compared with the other and with the records.
#include "formats/probe.hpp"
#include "formats/zvhd_convert.hpp"
#include "formats/zvhd_layout.hpp"
#include "formats/zvhd_packing.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <vector>

namespace vitrine::formats {
namespace {

using namespace zvhd;

/// A part of the file, window by window.
class Table {
public:
  Table(StoredBytes& file, std::uint64_t offset, std::uint64_t size)
      : file_(file), offset_(offset), size_(size) {}

  /// The entry of `bytes` bytes, of which the windows hold a whole number.
  Result<Bytes> entry(std::uint64_t index, std::size_t bytes) {
    auto const at = index * bytes;
    CHECK(lies_within(at, bytes, size_));
    if (window_.empty() || at < from_ || at + bytes > from_ + window_.size()) {
      from_ = at;
      window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, size_ - at)));
      TRY(file_.read(offset_ + from_, window_));
    }
    return Bytes(window_).subspan(static_cast<std::size_t>(at - from_), bytes);
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }

private:
  static constexpr std::size_t kWindow = 64U << 10U;

  StoredBytes& file_;
  std::uint64_t offset_;
  std::uint64_t size_;
  std::uint64_t from_{0};
  std::vector<std::byte> window_;
};

/// What the last header of a ZVHD2 says of its index.
struct Index {
  std::uint64_t entries;
  bool has_zero_blocks; ///< an entry for each block, that of a block of zeros is empty
};

Error index_differs() { return unsafe("has an index that does not fit its records"); }

class Reader {
public:
  Reader(StoredBytes& file, ByteSink& sink, Progress const& progress)
      : file_(file), sink_(sink), progress_(progress) {}

  Result<std::uint64_t> read(std::uint64_t disk_bytes_max) {
    TRY(open());
    if (size_ > disk_bytes_max) {
      return error(Fault::too_large, fmt::format("The disk of {} bytes is larger than {} bytes.",
                                                 size_, disk_bytes_max));
    }
    if (second_ && u8(last_, at::version2) > 0) {
      TRY(read_by_index());
    } else {
      TRY(read_in_order());
    }
    TRY(zeros_up_to(size_));
    TRY(progress_(100));
    return size_;
  }

private:
  Result<> open() {
    auto const file_bytes = file_.size_bytes();
    if (file_bytes < 2 * kUnit || file_bytes % kUnit != 0) {
      return unsafe("is cut: its size is no multiple of 4096");
    }
    TRY(read_header(0, first_));
    TRY(read_header(file_bytes - kUnit, last_));
    second_ = is_second(first_);
    auto const same = second_ ? at::index_offset : kHeaderBytes;
    for (std::size_t i = 0; i < same; ++i) {
      bool const may_differ = second_ && i >= at::checksum && i < at::checksum + 4;
      if (first_[i] != last_[i] && !may_differ) {
        return unsafe("is cut: its header is not repeated at the end");
      }
    }
    size_ = le64(first_, at::current_size);
    block_bytes_ = block_bytes_in(first_);
    if (le64(first_, at::original_size) > size_) return unsafe("has sizes that contradict");
    return choose_unpacker();
  }

  Result<> read_header(std::uint64_t offset, std::vector<std::byte>& header) {
    header.resize(kHeaderBytes);
    TRY(file_.read(offset, header));
    if (!stands_at(header, 0, kCookie) && !stands_at(header, 0, kCookie2)) {
      return unsafe("is cut: its header is not repeated at the end");
    }
    return check_header(header);
  }

  Result<> choose_unpacker() {
    auto packing = Packing::stream;
    if (second_) {
      auto const told = u8(last_, at::packing);
      if (told > static_cast<std::uint8_t>(Packing::zstd)) {
        return unsafe("is packed in an unknown way");
      }
      packing = static_cast<Packing>(told);
    }
    unpacker_ = make_unpacker(packing, static_cast<std::size_t>(block_bytes_));
    return {};
  }

  Result<> read_in_order() {
    auto const end = file_.size_bytes() - kUnit;
    std::uint64_t offset = kUnit;
    while (offset < end) {
      TRY(progress_(static_cast<int>(offset / (end / 100 + 1))));
      offset += TRY(read_record(offset, end, std::nullopt));
    }
    return {};
  }

  // The bits of the bitmap that are set name the same blocks as the entries of the index, in the
  // same order; each entry names a record that knows its block. Records that no entry names would
  // be lost without a word, so none may follow those that are named.
  Result<> read_by_index() {
    auto const index = TRY(check_index());
    Table entries(file_, le64(last_, at::index_offset), le32(last_, at::index_size));
    Table bits(file_, le64(last_, at::bitmap_offset), le32(last_, at::bitmap_size));
    std::uint64_t bit = 0;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < index.entries; ++i) {
      TRY(progress_(static_cast<int>(i * 100 / index.entries)));
      auto const entry = TRY(entries.entry(i, kIndexEntry));
      auto const offset = le64(entry, 0);
      std::uint64_t const block = le32(entry, 8);
      std::uint64_t const stored = le32(entry, 12);
      if (index.has_zero_blocks && (offset == 0 || stored == 0)) continue;
      auto const named = TRY(next_bit(bits, bit));
      if (!named || *named != block || (index.has_zero_blocks && block != i)) {
        return unsafe("has an index that does not fit its bitmap");
      }
      bit = block + 1;
      if (TRY(read_record(offset, file_.size_bytes() - kUnit, block)) != stored) {
        return index_differs();
      }
      ++records;
      bytes += stored;
    }
    if (TRY(next_bit(bits, bit))) return unsafe("has an index that does not fit its bitmap");
    if (records != le32(last_, at::records)) return index_differs();
    return check_nothing_follows(kUnit + bytes);
  }

  Result<Index> check_index() {
    auto const end = file_.size_bytes() - kUnit;
    std::uint64_t const index_bytes = le32(last_, at::index_size);
    std::uint64_t const bitmap_bytes = le32(last_, at::bitmap_size);
    if (!lies_within(le64(last_, at::index_offset), index_bytes, end) ||
        !lies_within(le64(last_, at::bitmap_offset), bitmap_bytes, end)) {
      return unsafe("is cut: its index lies beyond the end of the file");
    }
    std::uint64_t const blocks = le32(last_, at::blocks);
    auto const has_zero_blocks = u8(last_, at::index_has_zero_blocks);
    if (blocks != pieces(le64(last_, at::original_size), block_bytes_) || has_zero_blocks > 1) {
      return unsafe("has a number of blocks that does not fit its size");
    }
    auto const entries = has_zero_blocks == 1 ? blocks : le32(last_, at::records);
    if (entries > blocks || entries > index_bytes / kIndexEntry || blocks > bitmap_bytes * 8) {
      return unsafe("has an index too small for its records");
    }
    return Index{entries, has_zero_blocks == 1};
  }

  /// The first bit that is set from that one on.
  static Result<std::optional<std::uint64_t>> next_bit(Table& bits, std::uint64_t from) {
    while (from < bits.size() * 8) {
      auto const byte = u8(TRY(bits.entry(from / 8, 1)), 0) >> from % 8;
      if (byte == 0) {
        from = (from / 8 + 1) * 8;
        continue;
      }
      return from + static_cast<std::uint64_t>(__builtin_ctz(static_cast<unsigned>(byte)));
    }
    return std::nullopt;
  }

  Result<> check_nothing_follows(std::uint64_t offset) {
    if (!lies_within(offset, kUnit, file_.size_bytes())) return index_differs();
    record_.resize(kUnit);
    TRY(file_.read(offset, record_));
    if (stands_at(record_, 0, kRecord)) return index_differs();
    return {};
  }

  /// Writes the block of a record and the zeros before it; the bytes that the record takes. It must
  /// end at `end` or before, and hold the block that is `expected`, if one is.
  Result<std::uint64_t> read_record(std::uint64_t offset, std::uint64_t end,
                                    std::optional<std::uint64_t> expected) {
    if (offset < kUnit || !lies_within(offset, kUnit, end)) {
      return unsafe("has a record beyond its end");
    }
    record_.resize(kUnit);
    TRY(file_.read(offset, record_));
    if (!stands_at(record_, 0, kRecord))
      return unsafe("has something else in the place of a record");
    std::uint64_t const stored = le32(record_, record_at::stored_size);
    std::uint64_t const block = le32(record_, record_at::block);
    if (stored == 0 || stored > 2 * block_bytes_) {
      return unsafe("has a record of a size out of range");
    }
    if (block >= pieces(size_, block_bytes_) || block * block_bytes_ < position_ ||
        block != expected.value_or(block)) {
      return unsafe("has a record of a block out of range");
    }
    auto const bytes = record_bytes(stored);
    if (!lies_within(offset, bytes, end)) {
      return unsafe("is cut: the file ends before the end of its records");
    }
    record_.resize(static_cast<std::size_t>(bytes));
    TRY(file_.read(offset + kUnit, std::span(record_).subspan(kUnit)));
    if (!stands_at(record_, record_.size() - kRecordEnd.size(), kRecordEnd)) {
      return unsafe("has a record without its end");
    }
    TRY(write_block(block, Bytes(record_).subspan(kRecordHeader, static_cast<std::size_t>(stored)),
                    second_ ? le32(record_, record_at::plain_size) : 0));
    return bytes;
  }

  // The block where the disk ends may be stored whole or as far as the disk goes.
  Result<> write_block(std::uint64_t block, Bytes stored, std::uint64_t told_bytes) {
    auto const plain = TRY(unpacker_->unpack(stored));
    auto const offset = block * block_bytes_;
    auto const used = static_cast<std::size_t>(std::min(block_bytes_, size_ - offset));
    if ((plain.size() != block_bytes_ && plain.size() != used) ||
        (told_bytes != 0 && told_bytes != plain.size())) {
      return unsafe("has a block that unpacks to another size than its own");
    }
    TRY(zeros_up_to(offset));
    TRY(sink_.write(plain.first(used)));
    position_ += used;
    return {};
  }

  Result<> zeros_up_to(std::uint64_t offset) {
    if (offset > position_) TRY(sink_.zeros(offset - position_));
    position_ = offset;
    return {};
  }

  StoredBytes& file_;
  ByteSink& sink_;
  Progress const& progress_;
  std::vector<std::byte> first_;
  std::vector<std::byte> last_;
  bool second_{false};
  std::uint64_t size_{0};
  std::uint64_t block_bytes_{0};
  std::uint64_t position_{0}; ///< of what was written
  std::vector<std::byte> record_;
  std::unique_ptr<Unpacker> unpacker_;
};

} // namespace

Result<std::uint64_t> read_zvhd(StoredBytes& source, std::uint64_t disk_bytes_max, ByteSink& sink,
                                Progress const& progress) {
  return Reader(source, sink, progress).read(disk_bytes_max);
}

} // namespace vitrine::formats
