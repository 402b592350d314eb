// Writes ZVHD and ZVHD2 in one pass: header, records, header; of ZVHD2 then index, bitmap, and a
// header that tells of them.
#include "formats/zvhd_convert.hpp"
#include "formats/zvhd_layout.hpp"
#include "formats/zvhd_packing.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <vector>

namespace vitrine::formats {
namespace {

using namespace zvhd;

template <class T>
void put(std::span<std::byte> into, std::size_t at, T value) {
  CHECK(at + sizeof(T) <= into.size());
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    into[at + i] = static_cast<std::byte>(value >> 8 * i & 0xff);
  }
}

void put_text(std::span<std::byte> into, std::size_t at, std::string_view text) {
  CHECK(at + text.size() <= into.size());
  std::ranges::copy(std::as_bytes(std::span(text)), into.begin() + static_cast<std::ptrdiff_t>(at));
}

// Cylinders, heads and sectors as the VHD specification computes them; a size beyond what they can
// say is cut.
std::uint32_t geometry_of(std::uint64_t size_bytes) {
  auto const sectors = std::min<std::uint64_t>(size_bytes / kSector, 65'535U * 16U * 255U);
  std::uint64_t per_track = 255;
  std::uint64_t heads = 16;
  if (sectors < 65'535U * 16U * 63U) {
    per_track = 17;
    heads = std::max<std::uint64_t>(4, pieces(sectors / per_track, 1024));
    for (std::uint64_t const more : {31U, 63U}) {
      if (heads <= 16 && sectors / per_track < heads * 1024) break;
      per_track = more;
      heads = 16;
    }
  }
  auto const cylinders = sectors / per_track / heads;
  return static_cast<std::uint32_t>(cylinders << 16U | heads << 8U | per_track);
}

using Unit = std::array<std::byte, kUnit>;

/// What the index needs, in 2 bytes a record: it is written last.
struct Records {
  std::vector<std::byte> bitmap;    ///< of the blocks of the disk
  std::vector<std::uint16_t> units; ///< that each record takes; with the bitmap this is the index
};

class Writer {
public:
  Writer(StoredBytes& disk, Format format, ByteSink& sink, Progress const& progress)
      : disk_(disk), second_(format == Format::zvhd2), sink_(sink), progress_(progress),
        size_(pieces(disk.size_bytes(), kSector) * kSector),
        packer_(make_packer(second_ ? Packing::zstd : Packing::stream)), block_(kBlockBytes) {}

  Result<> write() {
    auto header = first_header();
    records_.bitmap.resize(pieces(pieces(blocks(), 8), kBitmapSegment) * kBitmapSegment);
    TRY(sink_.write(header));
    for (std::uint64_t block = 0; block < blocks(); ++block) {
      TRY(progress_(static_cast<int>(block * 100 / blocks())));
      TRY(write_block(block));
    }
    TRY(sink_.write(header));
    if (second_) TRY(write_index(header));
    return progress_(100);
  }

private:
  [[nodiscard]] std::uint64_t blocks() const { return pieces(size_, kBlockBytes); }

  Unit first_header() const {
    Unit header{};
    put_text(header, 0, second_ ? kCookie2 : kCookie);
    put<std::uint32_t>(header, at::features, 2);
    put<std::uint32_t>(header, at::file_version, 0x0001'0000);
    put<std::uint64_t>(header, at::data_offset, UINT64_MAX);
    put_text(header, at::creator, "tap");
    put<std::uint32_t>(header, at::creator_version, 0x0001'0004);
    put<std::uint64_t>(header, at::original_size, disk_.size_bytes());
    put<std::uint64_t>(header, at::current_size, size_);
    put<std::uint32_t>(header, at::geometry, geometry_of(size_));
    put<std::uint32_t>(header, at::disk_type, 4);
    if (second_) {
      put<std::uint8_t>(header, at::version2, 1);
      put<std::uint32_t>(header, at::block_size, kBlockBytes);
      put<std::uint32_t>(header, at::blocks, static_cast<std::uint32_t>(blocks()));
      put<std::uint8_t>(header, at::packing, static_cast<std::uint8_t>(Packing::zstd));
    }
    seal(header);
    return header;
  }

  static void seal(Unit& header) { put<std::uint32_t>(header, at::checksum, checksum_of(header)); }

  // The last block of a ZVHD is filled up with zeros, since its readers take 2 MiB from one stream;
  // that of a ZVHD2 is as long as the disk, since its readers have no room for more.
  Result<> write_block(std::uint64_t block) {
    auto const offset = block * kBlockBytes;
    auto const there = std::min(kBlockBytes, disk_.size_bytes() - offset);
    auto const used = second_ ? std::min(kBlockBytes, size_ - offset) : kBlockBytes;
    auto const plain = std::span(block_).first(static_cast<std::size_t>(used));
    TRY(disk_.read(offset, plain.first(static_cast<std::size_t>(there))));
    std::ranges::fill(plain.subspan(static_cast<std::size_t>(there)), std::byte{0});
    if (all_zero(plain)) return {};
    return write_record(block, packer_->pack(plain));
  }

  Result<> write_record(std::uint64_t block, Bytes stored) {
    record_.assign(static_cast<std::size_t>(record_bytes(stored.size())), std::byte{0});
    put_text(record_, 0, kRecord);
    put<std::uint32_t>(record_, record_at::stored_size, static_cast<std::uint32_t>(stored.size()));
    put<std::uint32_t>(record_, record_at::block, static_cast<std::uint32_t>(block));
    std::ranges::copy(stored, record_.begin() + kRecordHeader);
    put_text(record_, record_.size() - kRecordEnd.size(), kRecordEnd);
    records_.bitmap[block / 8] |= std::byte{1} << block % 8;
    records_.units.push_back(static_cast<std::uint16_t>(record_.size() / kUnit));
    return sink_.write(record_);
  }

  // Blocks in their order with the place of each; whole segments.
  Result<> write_index(Unit& header) {
    auto const segments = pieces(records_.units.size() * kIndexEntry, kIndexSegment);
    std::vector<std::byte> segment;
    std::uint64_t offset = kUnit;
    std::size_t record = 0;
    for (std::uint64_t block = 0; block < blocks(); ++block) {
      if ((records_.bitmap[block / 8] >> block % 8 & std::byte{1}) == std::byte{0}) continue;
      auto const bytes = records_.units[record++] * std::uint64_t{kUnit};
      auto const at = segment.size();
      segment.resize(at + kIndexEntry);
      put<std::uint64_t>(segment, at, offset);
      put<std::uint32_t>(segment, at + 8, static_cast<std::uint32_t>(block));
      put<std::uint32_t>(segment, at + 12, static_cast<std::uint32_t>(bytes));
      offset += bytes;
      if (segment.size() < kIndexSegment) continue;
      TRY(sink_.write(segment));
      segment.clear();
    }
    if (!segment.empty()) {
      segment.resize(kIndexSegment);
      TRY(sink_.write(segment));
    }
    TRY(sink_.write(records_.bitmap));
    return write_last_header(header, offset + kUnit, segments);
  }

  Result<> write_last_header(Unit& header, std::uint64_t index, std::uint64_t segments) {
    auto const of = [](std::uint64_t count) { return static_cast<std::uint32_t>(count); };
    put<std::uint64_t>(header, at::index_offset, index);
    put<std::uint64_t>(header, at::bitmap_offset, index + segments * kIndexSegment);
    put(header, at::index_size, of(segments * kIndexSegment));
    put(header, at::bitmap_size, of(records_.bitmap.size()));
    put(header, at::index_segment_size, of(kIndexSegment));
    put(header, at::bitmap_segment_size, of(kBitmapSegment));
    put(header, at::index_segments, of(segments));
    put(header, at::bitmap_segments, of(records_.bitmap.size() / kBitmapSegment));
    put(header, at::records, of(records_.units.size()));
    seal(header);
    return sink_.write(header);
  }

  StoredBytes& disk_;
  bool const second_;
  ByteSink& sink_;
  Progress const& progress_;
  std::uint64_t const size_; ///< of the disk, in whole sectors
  std::unique_ptr<Packer> const packer_;
  std::vector<std::byte> block_;
  std::vector<std::byte> record_;
  Records records_;
};

} // namespace

Result<> write_zvhd(StoredBytes& disk, Format format, ByteSink& sink, Progress const& progress) {
  CHECK(format == Format::zvhd || format == Format::zvhd2);
  if (disk.size_bytes() > kZvhdDiskBytesMax) {
    return error(Fault::too_large,
                 fmt::format("The disk is larger than the {} bytes that {} takes.",
                             kZvhdDiskBytesMax, name_of(format)));
  }
  return Writer(disk, format, sink, progress).write();
}

} // namespace vitrine::formats
