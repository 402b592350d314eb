// ZVHD and ZVHD2: headers and records.
#include "formats/test_image.hpp"

#include <gtest/gtest.h>

namespace vitrine::formats {
namespace {

using testing_images::Image;
using testing_images::refused;
using testing_images::safe;
using testing_images::see;
using testing_images::zvhd;

constexpr std::uint64_t kDisk = 8U << 20U;

// The header block: what `zvhd` writes first.
Image header(std::string_view cookie) { return zvhd(cookie).size(4096); }

Image& add_record(Image& image, std::uint32_t stored, std::uint32_t block) {
  auto const at = image.size();
  auto const bytes = (48 + stored + 4 + 4095) / 4096 * 4096;
  image.text(at, "hwstream bg").le32(at + 12, stored).le32(at + 16, block);
  return image.fill(at + 48, stored, 0x5a)
      .size(at + bytes)
      .text(at + bytes - 4, "end")
      .size(at + bytes);
}

Image& close(Image& image) {
  return image.text(image.size(), characters(header("stream").bytes()));
}

Image seal(Image image, std::size_t at) {
  return image.le32(at + 64, testing_images::sum_of(image, at, 512, at + 64));
}

TEST(Zvhd, both_kinds) {
  EXPECT_EQ(see(zvhd("stream")), safe(Format::zvhd, kDisk));
  EXPECT_EQ(see(zvhd("z2strm")), safe(Format::zvhd2, kDisk));
  EXPECT_EQ(see(zvhd("z2strm").size(8192)),
            refused(Format::zvhd2, "is cut: its header is not repeated at the end"));
  EXPECT_EQ(see(zvhd("z2strm").le64(8192 + 48, 1)),
            refused(Format::zvhd2, "is cut: its header is not repeated at the end"));
  EXPECT_EQ(see(zvhd("stream").le64(48, 1)),
            refused(Format::zvhd, "is damaged: the checksum of its header is wrong"));
  EXPECT_EQ(see(Image(4096).text(0, "streaming text")), safe(Format::raw, 4096));
}

TEST(Zvhd, records_of_every_length) {
  // Around the length at which the end takes one more block of 4 KiB.
  for (std::uint32_t const stored : {1U, 4043U, 4044U, 4045U, 4048U, 4049U, 8140U, 300'000U}) {
    auto image = header("stream");
    add_record(add_record(image, stored, 0), 7, 3);
    EXPECT_EQ(see(close(image)), safe(Format::zvhd, kDisk)) << stored;
  }
  auto image = header("stream");
  EXPECT_EQ(see(close(image)), safe(Format::zvhd, kDisk)) << "a disk of zeros";
}

TEST(Zvhd, broken_records) {
  auto const one = [](std::uint32_t stored, std::uint32_t block) {
    auto image = header("stream");
    add_record(image, 100, 1).le32(4096 + 12, stored).le32(4096 + 16, block);
    return close(image);
  };
  EXPECT_EQ(see(one(100, 3)), safe(Format::zvhd, kDisk));
  constexpr auto kSize = "has a record of a size out of range";
  EXPECT_EQ(see(one(0, 1)), refused(Format::zvhd, kSize));
  EXPECT_EQ(see(one((4U << 20U) + 1, 1)), refused(Format::zvhd, kSize));
  EXPECT_EQ(see(one(UINT32_MAX, 1)), refused(Format::zvhd, kSize));
  EXPECT_EQ(see(one(4U << 20U, 1)),
            refused(Format::zvhd, "is cut: the file ends before the end of its records"));
  constexpr auto kBlock = "has a record of a block out of range";
  EXPECT_EQ(see(one(100, 4)), refused(Format::zvhd, kBlock));
  EXPECT_EQ(see(one(100, UINT32_MAX)), refused(Format::zvhd, kBlock));
  EXPECT_EQ(see(one(5000, 1)), refused(Format::zvhd, "has a record without its end"));
  auto twice = header("stream");
  add_record(add_record(twice, 100, 1), 100, 1);
  EXPECT_EQ(see(close(twice)), refused(Format::zvhd, kBlock));
  EXPECT_EQ(see(zvhd("stream").fill(4096, 1, 0)),
            refused(Format::zvhd, "has bytes behind its last record that are none"));
}

TEST(Zvhd2, records_index_and_bitmap) {
  auto const image = [](std::uint64_t index, std::uint32_t index_size, std::uint64_t bitmap,
                        std::uint32_t bitmap_size) {
    auto made = header("z2strm").le32(88, 4U << 20U);
    made = seal(made, 0);
    // Blocks of 4 MiB, in any order: the index tells where they are.
    add_record(add_record(made, 5000, 1), 100, 0);
    auto const last = made.size() + 8192;
    made.size(last).copy(0, last, 4096);
    made.le64(last + 96, index).le64(last + 104, bitmap);
    return seal(made.le32(last + 112, index_size).le32(last + 116, bitmap_size), last);
  };
  // Records end at 16,384, the last header begins at 24,576.
  EXPECT_EQ(see(image(16'384, 4096, 20'480, 4096)), safe(Format::zvhd2, kDisk));
  constexpr auto kIndex = "is cut: its index lies beyond the end of the file";
  EXPECT_EQ(see(image(16'384, 8193, 20'480, 4096)), refused(Format::zvhd2, kIndex));
  EXPECT_EQ(see(image(16'384, 4096, 20'480, 4097)), refused(Format::zvhd2, kIndex));
  EXPECT_EQ(see(image(UINT64_MAX, 1, 0, 0)), refused(Format::zvhd2, kIndex));
  for (std::uint32_t const block_bytes : {1U, 3U << 20U, 512U << 10U, 64U << 20U}) {
    EXPECT_EQ(see(seal(zvhd("z2strm").le32(88, block_bytes), 0)),
              refused(Format::zvhd2, "has a block size out of range"));
  }
  auto crowded = header("z2strm");
  for (int i = 0; i < 5; ++i)
    add_record(crowded, 100, 0);
  crowded.text(crowded.size(), characters(header("z2strm").bytes()));
  EXPECT_EQ(see(crowded), refused(Format::zvhd2, "has more records than blocks"));
}

} // namespace
} // namespace vitrine::formats
