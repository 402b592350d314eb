// ZVHD and ZVHD2: written, read back, and harmed field by field.
#include "formats/test_image.hpp"
#include "formats/zvhd_convert.hpp"
#include "formats/zvhd_layout.hpp"
#include "formats/zvhd_packing.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace vitrine::formats {
namespace {

using namespace zvhd;
using testing_images::Image;

constexpr std::uint64_t kMax = std::uint64_t{1} << 40U;

class Memory final : public StoredBytes {
public:
  explicit Memory(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return bytes_.size(); }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return 1; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    CHECK(lies_within(offset, into.size(), bytes_.size()));
    std::memcpy(into.data(), bytes_.data() + offset, into.size());
    return {};
  }

private:
  Bytes bytes_;
};

class Collected final : public ByteSink {
public:
  Result<> write(Bytes more) override {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return {};
  }
  Result<> zeros(std::uint64_t count) override {
    bytes.resize(bytes.size() + count);
    return {};
  }
  std::vector<std::byte> bytes;
};

Progress const kOnward = [](int) -> Result<> { return {}; };

std::vector<std::byte> written(Bytes disk, Format format) {
  Memory memory(disk);
  Collected file;
  auto const done = write_zvhd(memory, format, file, kOnward);
  EXPECT_TRUE(done.has_value());
  return std::move(file.bytes);
}

/// The disk, or why there is none.
struct Read {
  std::vector<std::byte> disk;
  std::string refused;
};

Read read_back(Bytes file, std::uint64_t most = kMax) {
  Memory memory(file);
  Collected disk;
  auto const size = read_zvhd(memory, most, disk, kOnward);
  if (!size) return {{}, size.error().detail};
  EXPECT_EQ(*size, disk.bytes.size());
  return {std::move(disk.bytes), ""};
}

// Blocks of zeros, noise and text in turn, some of them cut short.
std::vector<std::byte> random_disk(std::mt19937_64& random) {
  std::vector<std::byte> disk(random() % 5 * kBlockBytes + random() % (kBlockBytes + 1));
  for (std::size_t at = 0; at < disk.size(); at += kBlockBytes / 4) {
    auto const kind = random() % 4;
    auto const count = std::min<std::size_t>(disk.size() - at, random() % (kBlockBytes / 4));
    for (std::size_t i = at; kind > 0 && i < at + count; ++i) {
      disk[i] = static_cast<std::byte>(kind == 1 ? random() : i / 97);
    }
  }
  return disk;
}

std::vector<std::byte> in_sectors(std::vector<std::byte> disk) {
  disk.resize(pieces(disk.size(), kSector) * kSector);
  return disk;
}

Image small(Format format) {
  std::vector<std::byte> disk(3 * kBlockBytes);
  disk[0] = std::byte{1};
  disk[2 * kBlockBytes + 5] = std::byte{2};
  auto const file = written(disk, format);
  return Image().text(0, characters(file));
}

Image seal(Image image, std::size_t header) {
  return image.le32(header + at::checksum, checksum_of(image.bytes().subspan(header)));
}

std::string refusal(Image const& image) { return read_back(image.bytes()).refused; }

TEST(ZvhdConvert, random_disks_come_back) {
  auto const seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int round = 0; round < 12; ++round) {
    auto const disk = random_disk(random);
    for (auto const format : {Format::zvhd, Format::zvhd2}) {
      auto const file = written(disk, format);
      auto const read = read_back(file);
      ASSERT_EQ(read.refused, "") << disk.size();
      ASSERT_TRUE(read.disk == in_sectors(disk)) << disk.size();
      EXPECT_TRUE(file == written(disk, format)) << "the same disk makes the same file";
      EXPECT_EQ(testing_images::see(Image().text(0, characters(file))),
                testing_images::safe(format, read.disk.size()));
    }
  }
}

TEST(ZvhdConvert, sizes_around_a_sector_and_a_block) {
  for (std::size_t const size :
       {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{513},
        std::size_t{kBlockBytes - 1}, std::size_t{kBlockBytes}, std::size_t{kBlockBytes + 1}}) {
    for (auto const format : {Format::zvhd, Format::zvhd2}) {
      std::vector<std::byte> disk(size, std::byte{7});
      auto const read = read_back(written(disk, format));
      EXPECT_EQ(read.refused, "") << size;
      EXPECT_TRUE(read.disk == in_sectors(disk)) << size;
    }
  }
}

TEST(ZvhdConvert, zeros_take_no_room) {
  std::vector<std::byte> const disk(64 * kBlockBytes);
  EXPECT_EQ(written(disk, Format::zvhd).size(), 2 * kUnit);
  EXPECT_EQ(written(disk, Format::zvhd2).size(), 3 * kUnit + kBitmapSegment);
  EXPECT_EQ(read_back(written(disk, Format::zvhd2)).disk.size(), disk.size());
}

TEST(ZvhdConvert, one_stream_goes_through_all_records) {
  auto const image = small(Format::zvhd);
  // One stream through all records is what the readers of others expect: the second record alone
  // cannot be unpacked.
  auto const alone = make_unpacker(Packing::stream, kBlockBytes);
  auto const stored = le32(image.bytes(), kUnit + 12);
  auto const second = kUnit + record_bytes(stored);
  auto const bytes = le32(image.bytes(), second + 12);
  EXPECT_FALSE(alone->unpack(image.bytes().subspan(second + kRecordHeader, bytes)));
  EXPECT_EQ(refusal(image), "");
}

TEST(ZvhdConvert, every_field_of_the_header) {
  for (auto const format : {Format::zvhd, Format::zvhd2}) {
    auto const honest = small(format);
    auto const last = honest.size() - kUnit;
    for (std::size_t i = 0; i < kHeaderBytes; ++i) {
      for (auto const header : {std::size_t{0}, last}) {
        auto harmed = honest;
        harmed.fill(header + i, 1, static_cast<std::uint8_t>(u8(honest.bytes(), header + i) ^ 1U));
        EXPECT_NE(refusal(harmed), "") << i << " of " << header;
      }
    }
    EXPECT_EQ(refusal(seal(Image(honest).le64(at::current_size, UINT64_MAX), 0)),
              "has a virtual size out of range");
    EXPECT_EQ(refusal(seal(Image(honest).le64(at::current_size, 1), 0)),
              "is cut: its header is not repeated at the end");
    auto sizes = honest;
    for (auto const header : {std::size_t{0}, last})
      sizes = seal(sizes.le64(header + at::original_size, 1U << 30U), header);
    EXPECT_EQ(refusal(sizes), "has sizes that contradict");
    EXPECT_EQ(refusal(Image(honest).size(honest.size() - 1)),
              "is cut: its size is no multiple of 4096");
    EXPECT_NE(refusal(Image(honest).size(last)), "");
    EXPECT_EQ(refusal(Image(0)), "is cut: its size is no multiple of 4096");
  }
}

TEST(ZvhdConvert, every_field_of_a_record) {
  for (auto const format : {Format::zvhd, Format::zvhd2}) {
    auto const honest = small(format);
    auto const with = [&](std::size_t at, std::uint32_t value) {
      return refusal(Image(honest).le32(kUnit + at, value));
    };
    auto const stored = le32(honest.bytes(), kUnit + record_at::stored_size);
    EXPECT_EQ(with(0, 0), "has something else in the place of a record");
    EXPECT_EQ(with(record_at::stored_size, 0), "has a record of a size out of range");
    EXPECT_EQ(with(record_at::stored_size, UINT32_MAX), "has a record of a size out of range");
    EXPECT_EQ(with(record_at::stored_size, 4U << 20U),
              "is cut: the file ends before the end of its records");
    EXPECT_EQ(with(record_at::block, 3), "has a record of a block out of range");
    EXPECT_NE(with(record_at::block, 2), "");
    EXPECT_EQ(with(record_bytes(stored) - kRecordEnd.size(), 0), "has a record without its end");
    EXPECT_EQ(with(kRecordHeader, 0xffff'ffff), "is damaged: a block cannot be unpacked");
    EXPECT_NE(with(record_at::stored_size, stored - 8), "");
    EXPECT_NE(with(record_at::stored_size, stored + 1), "");
  }
  EXPECT_EQ(refusal(small(Format::zvhd2).le32(kUnit + record_at::plain_size, 7)),
            "has a block that unpacks to another size than its own");
}

TEST(ZvhdConvert, blocks_of_another_size) {
  for (auto const packing : {Packing::zlib, Packing::zstd, Packing::stream}) {
    std::vector<std::byte> const block(kBlockBytes + 1, std::byte{9});
    auto const unpack = [&](std::size_t count) {
      auto const packer = make_packer(packing);
      auto const unpacker = make_unpacker(packing, kBlockBytes);
      auto const plain = unpacker->unpack(packer->pack(Bytes(block).first(count)));
      return plain ? std::to_string(plain->size()) : plain.error().detail;
    };
    EXPECT_EQ(unpack(kBlockBytes), "2097152");
    EXPECT_EQ(unpack(5), "5");
    EXPECT_EQ(unpack(kBlockBytes + 1), "has a block that unpacks to more than its size");
  }
}

TEST(ZvhdConvert, every_field_of_the_index) {
  auto const honest = small(Format::zvhd2);
  auto const last = honest.size() - kUnit;
  auto const index = le64(honest.bytes(), last + at::index_offset);
  auto const bitmap = le64(honest.bytes(), last + at::bitmap_offset);
  auto const header = [&](std::size_t at, std::uint32_t value) {
    return refusal(seal(Image(honest).le32(last + at, value), last));
  };
  constexpr auto kCut = "is cut: its index lies beyond the end of the file";
  constexpr auto kSmall = "has an index too small for its records";
  constexpr auto kBits = "has an index that does not fit its bitmap";
  constexpr auto kRecords = "has an index that does not fit its records";
  EXPECT_EQ(header(at::index_offset + 4, 1), kCut);
  EXPECT_EQ(header(at::bitmap_offset + 4, 1), kCut);
  EXPECT_EQ(header(at::index_size, UINT32_MAX), kCut);
  EXPECT_EQ(header(at::bitmap_size, UINT32_MAX), kCut);
  EXPECT_EQ(header(at::index_size, 31), kSmall);
  EXPECT_EQ(header(at::bitmap_size, 0), kSmall);
  EXPECT_EQ(header(at::records, 4), kSmall);
  EXPECT_EQ(header(at::records, 1), kBits) << "a record would be lost";
  EXPECT_NE(header(at::records, 3), "");
  EXPECT_NE(header(at::index_offset, 0), "");
  EXPECT_NE(header(at::bitmap_offset, 0), "");
  EXPECT_EQ(refusal(seal(Image(honest).fill(last + at::packing, 1, 2), last)),
            "is packed in an unknown way");
  EXPECT_EQ(refusal(seal(Image(honest).fill(last + at::index_has_zero_blocks, 1, 2), last)),
            "has a number of blocks that does not fit its size");
  auto const entry = [&](std::size_t at, std::uint32_t value) {
    return refusal(Image(honest).le32(index + at, value));
  };
  EXPECT_EQ(entry(0, 0), "has a record beyond its end");
  EXPECT_EQ(entry(4, UINT32_MAX), "has a record beyond its end");
  EXPECT_EQ(entry(0, 2 * kUnit), "has a record of a block out of range");
  EXPECT_EQ(entry(8, 1), kBits);
  EXPECT_EQ(entry(12, 4097), kRecords);
  EXPECT_EQ(refusal(Image(honest).fill(bitmap, 1, 7)), kBits);
  EXPECT_EQ(refusal(Image(honest).fill(bitmap, 1, 1)), kBits);
  EXPECT_EQ(refusal(Image(honest).fill(bitmap + 4000, 1, 1)), kBits);
  // Index and bitmap agree with each other, but leave a record out.
  auto lost = Image(honest).fill(bitmap, 1, 1).le32(last + at::records, 1);
  EXPECT_EQ(refusal(seal(lost, last)), kRecords);
}

TEST(ZvhdConvert, an_index_with_the_blocks_of_zeros) {
  auto image = small(Format::zvhd2);
  auto const honest = read_back(image.bytes()).disk;
  auto const last = image.size() - kUnit;
  auto const index = le64(image.bytes(), last + at::index_offset);
  image.copy(index + 16, index + 32, 16).fill(index + 16, 16, 0);
  image = seal(image.fill(last + at::index_has_zero_blocks, 1, 1), last);
  EXPECT_TRUE(read_back(image.bytes()).disk == honest);
  EXPECT_NE(refusal(image.copy(index, index + 16, 16)), "");
}

TEST(ZvhdConvert, limits_and_cancelling) {
  auto const file = small(Format::zvhd2);
  EXPECT_EQ(read_back(file.bytes(), 3 * kBlockBytes - 1).refused,
            "The disk of 6291456 bytes is larger than 6291455 bytes.");
  int calls = 0;
  Progress const stop = [&](int) -> Result<> {
    return ++calls < 2 ? Result<>{} : error(Fault::lease_lost);
  };
  Memory memory(file.bytes());
  Collected sink;
  auto const read = read_zvhd(memory, kMax, sink, stop);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().fault, Fault::lease_lost);
  calls = 0;
  std::vector<std::byte> const disk(3 * kBlockBytes);
  Memory plain(disk);
  auto const wrote = write_zvhd(plain, Format::zvhd, sink, stop);
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().fault, Fault::lease_lost);
}

} // namespace
} // namespace vitrine::formats
