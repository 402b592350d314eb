// As hostile_test.cpp, for the other formats of disks, and for files that are two formats at once.
#include "formats/test_image.hpp"

#include <gtest/gtest.h>

namespace vitrine::formats {
namespace {

using namespace std::literals;
using testing_images::Image;
using testing_images::refused;
using testing_images::safe;
using testing_images::see;

TEST(Vhd, fixed) {
  using testing_images::vhd_fixed;
  EXPECT_EQ(see(vhd_fixed(1U << 20U)), safe(Format::vhd, 1U << 20U));
  EXPECT_EQ(see(vhd_fixed(0)),
            refused(Format::vhd, "begins with the footer of another kind of disk"));
  EXPECT_EQ(see(Image(1000).text(1000, characters(testing_images::vhd_footer(2, 1001).bytes()))),
            refused(Format::vhd, "is cut: it is shorter than its footer tells"));
  EXPECT_EQ(see(Image(9999).text(9999, characters(testing_images::vhd_footer(3, 9999).bytes()))),
            refused(Format::vhd, "is cut: it does not begin with its footer"));
  EXPECT_EQ(see(Image(9999).text(9999, characters(testing_images::vhd_footer(4, 9999).bytes()))),
            refused(Format::vhd, "is a differencing disk: it names a parent"));
  // A footer that is not whole makes no VHD of a plain disk.
  EXPECT_EQ(see(vhd_fixed(4096).be32(4096 + 48, 1)), safe(Format::raw, 4608));
}

TEST(Vhd, dynamic) {
  using testing_images::sum_of;
  using testing_images::vhd_dynamic;
  auto const header = [](Image image) { return image.be32(548, sum_of(image, 512, 1024, 548)); };
  EXPECT_EQ(see(vhd_dynamic()), safe(Format::vhd, 4U << 20U));
  EXPECT_EQ(see(vhd_dynamic().fill(2048, 512, 0)),
            refused(Format::vhd, "is cut: it does not end with a footer"));
  EXPECT_EQ(see(vhd_dynamic().text(2048, characters(testing_images::vhd_footer(3, 512).bytes()))),
            refused(Format::vhd, "has two footers that contradict each other"));
  EXPECT_EQ(see(vhd_dynamic().be32(64, 0)),
            refused(Format::vhd, "is damaged: the checksum of its footer is wrong"));
  EXPECT_EQ(see(vhd_dynamic().be32(548, 0)),
            refused(Format::vhd, "is damaged: the checksum of its dynamic disk header is wrong"));
  EXPECT_EQ(see(header(vhd_dynamic().text(512 + 64, "\0p\0a\0r"sv))),
            refused(Format::vhd, "names a parent disk"));
  EXPECT_EQ(see(header(vhd_dynamic().text(512 + 576, "W2ku"))),
            refused(Format::vhd, "names a parent disk"));
  EXPECT_EQ(see(header(vhd_dynamic().be32(540, 1))),
            refused(Format::vhd, "has a block table too small for its virtual size"));
  EXPECT_EQ(see(header(vhd_dynamic().be32(544, 3'000'000))),
            refused(Format::vhd, "has a block size out of range"));
  for (auto const offset : std::vector<std::uint64_t>{0ULL, UINT64_MAX}) {
    EXPECT_EQ(see(header(vhd_dynamic().be64(528, offset))),
              refused(Format::vhd, "has a misplaced block table"));
  }
  EXPECT_EQ(see(header(vhd_dynamic().be32(540, UINT32_MAX))),
            refused(Format::vhd, "is cut: its block table lies beyond the end"));
  EXPECT_EQ(
      see(vhd_dynamic().size(1000)),
      refused(Format::vhd, "is cut: the file ends before the end of its dynamic disk header"));
}

TEST(Vhdx, headers_and_regions) {
  using testing_images::seal_vhdx;
  using testing_images::vhdx;
  auto const sealed = [](Image image) { return seal_vhdx(image); };
  auto const both = [&](std::size_t at, std::uint64_t value) {
    return sealed(vhdx().le64(0x3'0000 + at, value).le64(0x4'0000 + at, value));
  };
  EXPECT_EQ(see(vhdx()), safe(Format::vhdx, 1ULL << 40U));
  EXPECT_EQ(see(vhdx().fill(0x1'0000, 4096, 0).fill(0x3'0000, 65'536, 0)),
            safe(Format::vhdx, 1ULL << 40U));
  EXPECT_EQ(see(vhdx().fill(0x1'0100, 1, 1).fill(0x2'0100, 1, 1)),
            refused(Format::vhdx, "is damaged: neither of its headers is whole"));
  EXPECT_EQ(see(vhdx().fill(0x3'0100, 1, 1).fill(0x4'0100, 1, 1)),
            refused(Format::vhdx, "is damaged: neither of its region tables is whole"));
  EXPECT_EQ(see(sealed(vhdx().fill(0x4'0100, 1, 1))),
            refused(Format::vhdx, "has two region tables that contradict each other"));
  EXPECT_EQ(see(sealed(vhdx().le64(0x1'0008, 2).fill(0x1'0010, 1, 1))),
            refused(Format::vhdx, "has two headers that contradict each other"));
  EXPECT_EQ(
      see(sealed(vhdx().fill(0x2'0030, 16, 1))),
      refused(Format::vhdx, "was not closed: its log must be replayed before it can be read"));
  for (auto const offset :
       std::vector<std::uint64_t>{0ULL, 1ULL, (1ULL << 20U) + 1, 1ULL << 63U, UINT64_MAX}) {
    EXPECT_EQ(see(both(32, offset)), refused(Format::vhdx, "has a misplaced region"));
  }
  EXPECT_EQ(see(both(32, 1U << 20U)), refused(Format::vhdx, "has regions that overlap"));
  EXPECT_EQ(see(both(32, 1ULL << 50U)),
            refused(Format::vhdx, "is cut: a region lies beyond the end of the file"));
  EXPECT_EQ(see(both(64, 1ULL << 50U)),
            refused(Format::vhdx, "is cut: the file ends before the end of its metadata"));
  EXPECT_EQ(see(both(16, 0)), refused(Format::vhdx, "needs a region that is not known"));
  EXPECT_EQ(see(both(8, UINT32_MAX)), refused(Format::vhdx, "has too many regions"));
  EXPECT_EQ(see(both(8, 1)), refused(Format::vhdx, "lacks a region"));
}

TEST(Vhdx, metadata) {
  using testing_images::vhdx;
  constexpr std::size_t kTable = 2U << 20U;
  EXPECT_EQ(see(vhdx().le32(0x21'0004, 2)),
            refused(Format::vhdx, "is a differencing disk: it names a parent"));
  EXPECT_EQ(see(vhdx()
                    .le16(kTable + 10, 4)
                    .text(kTable + 128,
                          "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c"sv)),
            refused(Format::vhdx, "names a parent disk"));
  EXPECT_EQ(see(vhdx().le16(kTable + 10, 4).fill(kTable + 128, 16, 9).le32(kTable + 152, 4)),
            refused(Format::vhdx, "needs metadata that is not known"));
  EXPECT_EQ(see(vhdx().le16(kTable + 10, 2)), refused(Format::vhdx, "lacks metadata"));
  EXPECT_EQ(see(vhdx().le16(kTable + 10, 0xffff)), refused(Format::vhdx, "has too much metadata"));
  EXPECT_EQ(see(vhdx().copy(kTable + 32, kTable + 64, 32)),
            refused(Format::vhdx, "has the same metadata twice"));
  for (std::uint32_t const offset : {0U, 65'535U, (1U << 20U) - 7, UINT32_MAX}) {
    EXPECT_EQ(see(vhdx().le32(kTable + 48, offset)),
              refused(Format::vhdx, "has misplaced metadata"));
  }
  // Items in another order than their entries are as good.
  EXPECT_EQ(see(vhdx().le32(kTable + 48, 0x1'0100).le32(0x21'0100, 32U << 20U)),
            safe(Format::vhdx, 1ULL << 40U));
  for (auto const size :
       std::vector<std::uint64_t>{0ULL, 511ULL, (64ULL << 40U) + 512, UINT64_MAX}) {
    EXPECT_EQ(see(vhdx().le64(0x21'0020, size)),
              refused(Format::vhdx, "has a virtual size out of range"));
  }
  EXPECT_EQ(see(vhdx().le64(0x21'0020, 8ULL << 40U)),
            refused(Format::vhdx, "has a block table too small for its virtual size"));
  EXPECT_EQ(see(vhdx().le32(0x21'0000, 0)), refused(Format::vhdx, "has a block size out of range"));
  EXPECT_EQ(see(vhdx().le32(0x21'0040, 0)),
            refused(Format::vhdx, "has a sector size out of range"));
}

TEST(Iso, descriptors) {
  using testing_images::iso;
  EXPECT_EQ(see(iso()), safe(Format::iso, 81'920));
  EXPECT_EQ(see(iso().fill(510, 1, 0x55).fill(511, 1, 0xaa).text(512, "EFI PART")),
            safe(Format::iso, 81'920));
  // El Torito: the boot record may come first.
  auto bootable = iso();
  bootable.copy(0x8000, 0x9000, 2048).text(0x8000, "\0CD001\1EL TORITO SPECIFICATION"sv);
  bootable
      .text(0x8800, "\x02"
                    "CD001\x01")
      .text(0x9800, "\xff"
                    "CD001\x01");
  EXPECT_EQ(see(bootable), safe(Format::iso, 81'920));
  EXPECT_EQ(see(iso().fill(0x8000, 1, 2)),
            refused(Format::iso, "has no primary volume descriptor"));
  EXPECT_EQ(see(iso().le32(0x8050, 41)),
            refused(Format::iso, "has a volume descriptor that contradicts itself"));
  EXPECT_EQ(see(iso().le32(0x8050, UINT32_MAX).be32(0x8054, UINT32_MAX)),
            refused(Format::iso, "is cut: its volume ends beyond the end of the file"));
  EXPECT_EQ(see(iso().size(0x8100)),
            refused(Format::iso, "is cut: the file ends before the end of its volume descriptors"));
  EXPECT_EQ(see(iso().size(0x8000)), safe(Format::raw, 0x8000));
}

TEST(Polyglot, two_formats_at_once) {
  using testing_images::iso;
  EXPECT_EQ(see(iso().text(0, "\x1f\x8b\x08")), refused(Format::iso, "is gzip as well"));
  EXPECT_EQ(see(iso().text(0, "KDMV")), refused(Format::vmdk, "is iso as well"));
  EXPECT_EQ(see(iso().text(0, "<html>")), refused(Format::iso, "is html as well"));
  auto const footer = testing_images::vhd_footer(2, 81'920);
  EXPECT_EQ(see(iso().text(81'920, characters(footer.bytes()))),
            refused(Format::iso, "is vhd as well"));
  auto qcow2 = testing_images::qcow2();
  EXPECT_EQ(see(qcow2.text(qcow2.size(), characters(testing_images::vhd_footer(2, 512).bytes()))),
            refused(Format::qcow2, "is vhd as well"));
  EXPECT_EQ(see(testing_images::qcow2().le32(0x40, 0xbeda107f)),
            refused(Format::qcow2, "is vdi as well"));
}

TEST(Raw, holds_anything_further_on) {
  auto const magics = {"QFI\xfb\0\0\0\3"sv, "KDMV\1\0\0\0"sv, "conectix"sv, "vhdxfile"sv,
                       "CD001"sv};
  for (auto const magic : magics) {
    EXPECT_EQ(see(Image(65'536).text(512, magic).text(65'000, magic)), safe(Format::raw, 65'536));
  }
  EXPECT_EQ(see(Image(0)), safe(Format::raw, 0));
  EXPECT_EQ(see(Image(1).text(0, "Q")), safe(Format::raw, 1));
}

} // namespace
} // namespace vitrine::formats
