// The formats with small headers: an honest file of each, and its harms.
#include "formats/test_image.hpp"

#include <gtest/gtest.h>

namespace vitrine::formats {
namespace {

using namespace std::literals;
using testing_images::Image;
using testing_images::refused;
using testing_images::safe;
using testing_images::see;

TEST(Qcow, header) {
  auto const image = [] {
    Image qcow(4096);
    qcow.text(0, "QFI\xfb\0\0\0\1"sv).be64(24, 1U << 20U).fill(32, 1, 12).fill(33, 1, 9);
    return qcow.be64(40, 48);
  };
  EXPECT_EQ(see(image()), safe(Format::qcow, 1U << 20U));
  EXPECT_EQ(see(image().be64(8, 100)), refused(Format::qcow, "names a backing file"));
  EXPECT_EQ(see(image().be32(16, 11)), refused(Format::qcow, "names a backing file"));
  EXPECT_EQ(see(image().be64(24, UINT64_MAX)),
            refused(Format::qcow, "has a virtual size out of range"));
  EXPECT_EQ(see(image().fill(32, 2, 63)),
            refused(Format::qcow, "has a cluster or table size out of range"));
  constexpr auto kCut = "is cut: its first-level table lies beyond the end of the file";
  EXPECT_EQ(see(image().be64(24, kVirtualBytesMax)), refused(Format::qcow, kCut));
  EXPECT_EQ(see(image().be64(40, UINT64_MAX)), refused(Format::qcow, kCut));
  EXPECT_EQ(see(image().size(20)),
            refused(Format::qcow, "is cut: the file ends before the end of its header"));
}

TEST(Qed, header) {
  auto const image = [] {
    Image qed(65'536);
    qed.text(0, "QED").le32(4, 4096).le32(8, 4).le32(12, 1).le64(40, 4096);
    return qed.le64(48, 1U << 20U);
  };
  EXPECT_EQ(see(image()), safe(Format::qed, 1U << 20U));
  EXPECT_EQ(see(image().le64(16, 1)), refused(Format::qed, "names a backing file"));
  EXPECT_EQ(see(image().le32(60, 11)), refused(Format::qed, "names a backing file"));
  EXPECT_EQ(see(image().le64(16, 8)), refused(Format::qed, "needs features that are not known"));
  EXPECT_EQ(see(image().le32(4, 0)),
            refused(Format::qed, "has a cluster or table size out of range"));
  EXPECT_EQ(see(image().le64(48, INT64_MAX - 511)),
            refused(Format::qed, "has a virtual size out of range"));
  EXPECT_EQ(see(image().le64(40, 0)), refused(Format::qed, "has a misplaced first-level table"));
  EXPECT_EQ(see(image().le64(40, UINT64_MAX << 12U)),
            refused(Format::qed, "is cut: its first-level table lies beyond the end of the file"));
}

TEST(Vdi, header) {
  auto const image = [] {
    Image vdi(4096);
    vdi.le32(0x40, 0xbeda107f).le32(0x44, 0x1'0001).le32(0x48, 400).le32(0x4c, 1);
    vdi.le32(0x154, 512).le32(0x158, 1024).le32(0x168, 512).le64(0x170, 8U << 20U);
    return vdi.le32(0x178, 1U << 20U).le32(0x180, 8);
  };
  EXPECT_EQ(see(image()), safe(Format::vdi, 8U << 20U));
  EXPECT_EQ(see(image().le32(0x44, 1)), refused(Format::vdi, "is of an unknown version"));
  EXPECT_EQ(see(image().le32(0x4c, 4)),
            refused(Format::vdi, "is not a whole disk: it needs a parent"));
  EXPECT_EQ(see(image().fill(0x1a8, 1, 1)), refused(Format::vdi, "names a parent disk"));
  EXPECT_EQ(see(image().fill(0x1c7, 1, 1)), refused(Format::vdi, "names a parent disk"));
  EXPECT_EQ(see(image().le64(0x170, UINT64_MAX)),
            refused(Format::vdi, "has a virtual size out of range"));
  EXPECT_EQ(see(image().le32(0x180, UINT32_MAX)),
            refused(Format::vdi, "has a block size or count out of range"));
  EXPECT_EQ(see(image().le32(0x154, 0)), refused(Format::vdi, "has a misplaced block map"));
  EXPECT_EQ(see(image().le32(0x180, 1000)), refused(Format::vdi, "has a misplaced block map"));
  EXPECT_EQ(see(image().le32(0x184, 1)),
            refused(Format::vdi, "is cut: its blocks lie beyond the end of the file"));
}

TEST(Ploop, header) {
  auto const image = [](std::string_view magic) {
    Image ploop(4096);
    ploop.text(0, magic).le32(16, 2).le32(28, 2048).le32(32, 8);
    return ploop.le64(36, 16'384);
  };
  EXPECT_EQ(see(image("WithouFreSpacExt")), safe(Format::ploop, 8U << 20U));
  EXPECT_EQ(see(image("WithoutFreeSpace").le32(40, 0xffff)), safe(Format::ploop, 8U << 20U));
  EXPECT_EQ(see(image("WithouFreSpacExt").le32(16, 3)),
            refused(Format::ploop, "is of an unknown version"));
  EXPECT_EQ(see(image("WithouFreSpacExt").le64(36, UINT64_MAX)),
            refused(Format::ploop, "has a virtual size out of range"));
  EXPECT_EQ(see(image("WithouFreSpacExt").le32(28, 0)),
            refused(Format::ploop, "has a virtual size out of range"));
  EXPECT_EQ(see(image("WithouFreSpacExt").le32(32, UINT32_MAX)),
            refused(Format::ploop, "is cut: its block table lies beyond the end of the file"));
}

TEST(Luks, both_versions) {
  EXPECT_EQ(see(Image(8192).text(0, "LUKS\xba\xbe\0\1"sv)), safe(Format::luks, 8192));
  EXPECT_EQ(see(Image(8192).text(0, "LUKS\xba\xbe\0\2"sv)), safe(Format::luks, 8192));
  EXPECT_EQ(see(Image(8192).text(0, "LUKS\xba\xbe\0\3"sv)),
            refused(Format::luks, "is of an unknown version"));
  EXPECT_EQ(see(Image(2000).text(0, "LUKS\xba\xbe\0\2"sv)),
            refused(Format::luks, "is cut: the file ends before the end of its header"));
}

TEST(Packed, every_kind) {
  auto const expect = [](std::string_view magic, Format format) {
    EXPECT_EQ(see(Image(64).text(0, magic)), safe(format, std::nullopt)) << name_of(format);
  };
  expect("\x1f\x8b\x08", Format::gzip);
  expect("BZh91AY&SY", Format::bzip2);
  expect("\xfd"
         "7zXZ\0"sv,
         Format::xz);
  expect("\x28\xb5\x2f\xfd", Format::zstd);
  expect("\x04\x22\x4d\x18", Format::lz4);
  expect("LZIP\x01", Format::lzip);
  expect("PK\x03\x04", Format::zip);
  expect("7z\xbc\xaf\x27\x1c", Format::sevenzip);
  expect("xx-lh5-", Format::lha);
  EXPECT_EQ(see(Image(64).text(0, "BZhello")), safe(Format::raw, 64));
}

TEST(Page, documents) {
  EXPECT_EQ(see(Image().text(0, "\n <!DOCTYPE HTML>")), safe(Format::html, std::nullopt));
  EXPECT_EQ(see(Image().text(0, "<HTML><body>")), safe(Format::html, std::nullopt));
  EXPECT_EQ(see(Image().text(0, "\xef\xbb\xbf<?xml version='1.0'?><Error>")),
            safe(Format::xml, std::nullopt));
  EXPECT_EQ(see(Image().text(0, "plain text")), safe(Format::raw, 10));
}

} // namespace
} // namespace vitrine::formats
