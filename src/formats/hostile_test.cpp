// Kinds of hostile and broken images, each made from an honest one by one change.
#include "formats/test_image.hpp"

#include <gtest/gtest.h>

namespace vitrine::formats {
namespace {

using namespace std::literals;
using testing_images::Image;
using testing_images::inspect;

void expect_safe(Image const& image, Format format, std::uint64_t virtual_size) {
  auto const finding = inspect(image);
  EXPECT_EQ(name_of(finding.format), name_of(format));
  EXPECT_EQ(finding.unsafe.value_or("safe"), "safe");
  EXPECT_EQ(finding.virtual_size_bytes, virtual_size);
  EXPECT_EQ(inspect(image, 1000), finding) << "in other chunks";
}

void expect_unsafe(Image const& image, Format format, std::string_view reason) {
  auto const finding = inspect(image);
  EXPECT_EQ(name_of(finding.format), name_of(format));
  EXPECT_EQ(finding.unsafe.value_or("safe"), reason);
  EXPECT_EQ(finding.virtual_size_bytes, std::nullopt);
  EXPECT_EQ(inspect(image, 1000), finding) << "in other chunks";
  for (auto const* declared : {"raw", "qcow2", "vmdk", ""}) {
    auto const answer = check(finding, declared, "bare", {.allow_raw_mismatch = true});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::format_unsafe);
  }
}

TEST(Qcow2, honest) {
  using testing_images::qcow2;
  expect_safe(qcow2(), Format::qcow2, 1U << 30U);
  // Extensions: backing format left over, feature names, one unknown to us, then the end.
  auto extended = qcow2();
  extended.be32(104, 0xE2792ACA).be32(108, 3).text(112, "raw");
  extended.be32(120, 0x6803f857).be32(124, 48).be32(176, 0x1234).be32(180, 0);
  expect_safe(extended, Format::qcow2, 1U << 30U);
  expect_safe(qcow2().be64(72, 1).be64(88, 3), Format::qcow2, 1U << 30U);
  expect_safe(qcow2().be64(72, 8).be32(100, 112).fill(104, 1, 1), Format::qcow2, 1U << 30U);
  expect_safe(qcow2().be64(24, 0), Format::qcow2, 0);
}

TEST(Qcow2, refers_outside) {
  using testing_images::qcow2;
  expect_unsafe(qcow2().be64(8, 0x200).be32(16, 11).text(0x200, "/etc/passwd"), Format::qcow2,
                "names a backing file");
  expect_unsafe(qcow2().be64(8, 0x200), Format::qcow2, "names a backing file");
  expect_unsafe(qcow2().be32(16, 11), Format::qcow2, "names a backing file");
  expect_unsafe(qcow2().be64(8, UINT64_MAX), Format::qcow2, "names a backing file");
  expect_unsafe(qcow2().be64(72, 4), Format::qcow2, "keeps its data in an external file");
  expect_unsafe(qcow2().be32(104, 0x44415441).be32(108, 8).text(112, "/etc/pwd"), Format::qcow2,
                "names an external data file");
  // Behind another extension, and so far behind that it is not among the first bytes kept.
  expect_unsafe(qcow2().be32(104, 7).be32(108, 5).be32(120, 0x44415441).be32(124, 1), Format::qcow2,
                "names an external data file");
  expect_unsafe(qcow2()
                    .be32(20, 21)
                    .be32(104, 7)
                    .be32(108, 1'000'000)
                    .be32(1'000'112, 0x44415441)
                    .size(8U << 20U),
                Format::qcow2, "names an external data file");
}

TEST(Qcow2, broken_header) {
  using testing_images::qcow2;
  for (std::uint32_t const bits : {0U, 8U, 22U, 63U, 64U, UINT32_MAX}) {
    expect_unsafe(qcow2().be32(20, bits), Format::qcow2, "has a cluster size out of range");
  }
  for (std::uint32_t const length : {0U, 72U, 103U, 105U, 65'544U, UINT32_MAX}) {
    expect_unsafe(qcow2().be32(100, length), Format::qcow2, "has a header length out of range");
  }
  for (std::uint32_t const version : {0U, 4U, UINT32_MAX}) {
    expect_unsafe(qcow2().be32(4, version), Format::qcow2,
                  "is of an unknown version, " + std::to_string(version));
  }
  for (unsigned bit = 5; bit < 64; ++bit) {
    expect_unsafe(qcow2().be64(72, 1ULL << bit), Format::qcow2,
                  "needs features that are not known");
  }
  expect_unsafe(qcow2().be64(72, 2), Format::qcow2, "is marked corrupt");
  expect_unsafe(qcow2().be64(72, 8), Format::qcow2, "is compressed by an unknown method");
  expect_unsafe(qcow2().be32(32, 3), Format::qcow2, "is encrypted by an unknown method");
  expect_unsafe(qcow2().be32(96, 7), Format::qcow2, "has a reference count width out of range");
  for (std::uint32_t const length : {65'536U, UINT32_MAX, UINT32_MAX - 7, 0x7fff'ffffU}) {
    expect_unsafe(qcow2().be32(104, 7).be32(108, length), Format::qcow2,
                  "has a header extension that passes its cluster");
  }
  auto many = qcow2();
  for (std::size_t i = 0; i < 100; ++i)
    many.be32(104 + 8 * i, 7);
  expect_unsafe(many, Format::qcow2, "has too many header extensions");
}

TEST(Qcow2, broken_tables) {
  using testing_images::qcow2;
  expect_unsafe(qcow2().be32(36, 1), Format::qcow2,
                "has a first-level table too small for its virtual size");
  expect_unsafe(qcow2().be64(24, UINT64_MAX), Format::qcow2, "has a virtual size out of range");
  expect_unsafe(qcow2().be32(36, UINT32_MAX), Format::qcow2,
                "has a first-level table that is too large");
  for (auto const offset : std::vector<std::uint64_t>{0ULL, 0x3'0001ULL}) {
    expect_unsafe(qcow2().be64(40, offset), Format::qcow2, "has a misplaced first-level table");
  }
  for (auto const offset : std::vector<std::uint64_t>{1ULL << 50U, UINT64_MAX << 16U}) {
    expect_unsafe(qcow2().be64(40, offset), Format::qcow2,
                  "is cut: a table lies beyond the end of the file");
    expect_unsafe(qcow2().be32(60, 1).be64(64, offset), Format::qcow2,
                  "is cut: a table lies beyond the end of the file");
  }
  expect_unsafe(qcow2().be32(56, 0), Format::qcow2, "has a reference count table out of range");
  expect_unsafe(qcow2().be32(56, UINT32_MAX), Format::qcow2,
                "has a reference count table out of range");
  expect_unsafe(qcow2().be32(60, 65'537).be64(64, 0x1'0000), Format::qcow2,
                "has a snapshot table out of range");
}

TEST(Qcow2, cut_in_the_middle) {
  using testing_images::qcow2;
  constexpr auto kCut = "is cut: a cluster lies beyond the end of the file";
  // 16-bit counts from 0x20000: the file has four clusters of 64 KiB, the last may be partial.
  expect_safe(qcow2().size(196'609 + 16), Format::qcow2, 1U << 30U);
  expect_unsafe(qcow2().be(0x2'0008, std::uint16_t{1}), Format::qcow2, kCut);
  expect_safe(qcow2().be(0x2'0008, std::uint16_t{1}).be64(72, 1), Format::qcow2, 1U << 30U);
  expect_unsafe(qcow2().be64(0x1'0000, 1ULL << 50U), Format::qcow2,
                "is cut: the file ends before the end of its reference counts");
  // Counts that have passed before the table tells of them are not looked at.
  auto late = qcow2().be64(48, 0x4'0000).be64(0x4'0000, 0x2'0000).size(8U << 20U);
  expect_safe(late.fill(0x2'0000, 0x2000, 1), Format::qcow2, 1U << 30U);
}

TEST(Vmdk, honest) {
  using testing_images::vmdk;
  auto const text = testing_images::vmdk_descriptor();
  expect_safe(vmdk(text), Format::vmdk, 1U << 20U);
  expect_safe(vmdk(text, 4000), Format::vmdk, 1U << 20U); // far into the file
}

std::string with(std::string_view from, std::string_view to) {
  auto text = testing_images::vmdk_descriptor();
  auto const at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST(Vmdk, extents) {
  using testing_images::vmdk;
  constexpr auto kName = "has an extent that names another file";
  constexpr auto kOutside = "has an extent that is not part of this file";
  for (auto const* name : {"/etc/passwd", "../disk.vmdk", "C:\\disk.vmdk", "nbd:host:1", "..", "",
                           "json:{}", "a\" \"b", "%2fetc"}) {
    expect_unsafe(vmdk(with("disk.vmdk", name)), Format::vmdk, kName);
  }
  for (auto const* line : {"RW 2048 FLAT \"disk.vmdk\" 0", "rw\t2048\tflat\t\"disk.vmdk\"",
                           "RW 2048 VMFS \"a\"", "RDONLY 2048 ZERO \"a\"", "RW 2048 VMFSRDM \"a\"",
                           "  RW   2048  FLAT  \"/etc/passwd\" 0"}) {
    expect_unsafe(vmdk(with("RW 2048 SPARSE \"disk.vmdk\"", line)), Format::vmdk, kOutside);
  }
  for (auto const* line : {"RW 2048 SPARSE disk.vmdk", "RW SPARSE \"a\"", "RW", "RW x SPARSE \"a\"",
                           "RW 2048 SPARSE extra \"a\""}) {
    expect_unsafe(vmdk(with("RW 2048 SPARSE \"disk.vmdk\"", line)), Format::vmdk,
                  "has an extent that cannot be read");
  }
  expect_unsafe(vmdk(with("RW 2048", "RW 2048 SPARSE \"a.vmdk\"\nRW 2048")), Format::vmdk,
                "does not have exactly one extent");
  expect_unsafe(vmdk(with("RW 2048", "# RW 2048")), Format::vmdk,
                "does not have exactly one extent");
  // What stands after a NUL is text to some readers.
  expect_unsafe(vmdk(testing_images::vmdk_descriptor() + "\0RW 8 FLAT \"/etc/shadow\" 0\n"s),
                Format::vmdk, kOutside);
  expect_unsafe(vmdk(testing_images::vmdk_descriptor() + "binary\x01\n"), Format::vmdk,
                "has a descriptor line that cannot be read");
}

TEST(Vmdk, types_and_parents) {
  using testing_images::vmdk;
  constexpr auto kTwice = "has a descriptor that tells its type never or more than once";
  constexpr auto kParent = "needs a parent disk";
  for (auto const* type : {"monolithicFlat", "twoGbMaxExtentSparse", "vmfs", "vmfsSparse", "custom",
                           "fullDevice", "partitionedDevice", "MonolithicSparse", "", "x\0y"}) {
    expect_unsafe(vmdk(with("monolithicSparse", type)), Format::vmdk,
                  "is of a createType that is not allowed");
  }
  expect_unsafe(vmdk(with("CID=12345678", "CREATETYPE=\"vmfs\"")), Format::vmdk, kTwice);
  expect_unsafe(vmdk(with("# Extent", "# createType=\"vmfs\" Extent")), Format::vmdk, kTwice);
  expect_unsafe(vmdk(with("createType", "# createType")), Format::vmdk,
                "has a descriptor without a type");
  expect_unsafe(vmdk(with("createType=", "type=")), Format::vmdk, kTwice);
  expect_unsafe(vmdk(""), Format::vmdk, kTwice);
  expect_unsafe(vmdk(with("ffffffff", "12345678")), Format::vmdk, kParent);
  expect_unsafe(vmdk(with("parentCID", "PARENTCID\t=0 #")), Format::vmdk, kParent);
  expect_unsafe(vmdk(with("CID=1", "parentFileNameHint=\"/etc/passwd\"\nCID=1")), Format::vmdk,
                "names a parent disk");
  expect_unsafe(vmdk(with("CID=1", "changeTrackPath=\"a-ctk.vmdk\"\nCID=1")), Format::vmdk,
                "names another file");
}

TEST(Vmdk, headers) {
  auto const image = [] { return testing_images::vmdk(testing_images::vmdk_descriptor()); };
  constexpr auto kDescriptor = "has a descriptor out of range";
  expect_unsafe(image().le32(4, 0), Format::vmdk, "is of an unknown version");
  expect_unsafe(image().le32(4, 4), Format::vmdk, "is of an unknown version");
  // Without a capacity, readers take the descriptor for the whole image.
  expect_unsafe(image().le64(12, 0), Format::vmdk, "has a virtual size out of range");
  expect_unsafe(image().le64(12, UINT64_MAX / 512), Format::vmdk,
                "has a virtual size out of range");
  expect_unsafe(image().le64(20, 3), Format::vmdk, "has a grain size out of range");
  expect_unsafe(image().le64(36, 1ULL << 40U), Format::vmdk, kDescriptor);
  expect_unsafe(image().le64(36, UINT64_MAX), Format::vmdk, kDescriptor);
  expect_unsafe(image().le64(28, UINT64_MAX), Format::vmdk, kDescriptor);
  expect_unsafe(image().le64(28, 1ULL << 53U), Format::vmdk,
                "is cut: the file ends before the end of its descriptor");
  expect_unsafe(image().le64(28, 0), Format::vmdk, "has no descriptor: it is a part of a disk");
  expect_unsafe(image().le64(56, 1ULL << 55U), Format::vmdk,
                "is cut: its grain directory lies beyond the end of the file");
  expect_unsafe(image().le64(56, UINT64_MAX), Format::vmdk,
                "is cut: it does not end with a footer");
  auto stream = image();
  stream.le64(56, UINT64_MAX).copy(0, 65'536, 512).le64(65'536 + 56, 0x1a).size(65'536 + 1024);
  expect_safe(stream, Format::vmdk, 1U << 20U);
  expect_unsafe(stream.le64(65'536 + 28, 2), Format::vmdk,
                "has a footer that contradicts its header");
}

TEST(Vmdk, descriptor_alone) {
  constexpr auto kAlone = "is a descriptor whose data lies elsewhere";
  auto const text = testing_images::vmdk_descriptor();
  expect_unsafe(Image().text(0, text), Format::vmdk, kAlone);
  expect_unsafe(Image().text(0, "\r\n # hello\r\n#\r\n" + with("# Disk Desc", "# disk desc")),
                Format::vmdk, kAlone);
  expect_unsafe(Image().text(0, "#x\n\nversion = 1\ncreateType=\"vmfs\"\n").size(1U << 20U),
                Format::vmdk, kAlone);
  expect_unsafe(Image().text(0, "COWD").size(4096), Format::vmdk,
                "is an extent of a disk described elsewhere");
  expect_safe(Image().text(0, "#!/bin/sh\nexit 0\n"), Format::raw, 17);
}

} // namespace
} // namespace vitrine::formats
