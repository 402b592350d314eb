// Headers that agree with themselves and claim a disk that nobody can have.
#include "formats/test_image.hpp"

#include <gtest/gtest.h>

namespace vitrine::formats {
namespace {

using namespace std::literals;
using testing_images::Image;
using testing_images::refused;
using testing_images::safe;
using testing_images::see;

constexpr std::uint64_t kHuge = 1ULL << 62U;
constexpr auto kReason = "has a virtual size out of range";

// What min_disk can ask for, in GiB.
static_assert(kVirtualBytesMax == 2'147'483'647ULL * 1024 * 1024 * 1024);

TEST(VirtualSize, the_largest_disk_is_taken_and_no_larger) {
  // Clusters of 2 MiB, so that the table of 32 MiB that readers allow reaches 2 EiB.
  auto const image = [](std::uint64_t bytes) {
    Image qcow2(8U << 20U);
    qcow2.text(0, "QFI\xfb").be32(4, 2).be32(20, 21).be64(24, bytes).be32(36, 4U << 20U);
    qcow2.be64(40, 6U << 20U).be64(48, 2U << 20U).be32(56, 1);
    return qcow2.size((6U << 20U) + (32U << 20U));
  };
  EXPECT_EQ(see(image(kVirtualBytesMax)), safe(Format::qcow2, kVirtualBytesMax));
  EXPECT_EQ(see(image(kVirtualBytesMax + 1)), refused(Format::qcow2, kReason));
  EXPECT_EQ(see(image(kHuge)), refused(Format::qcow2, kReason));
}

TEST(VirtualSize, huge_in_every_format) {
  Image qcow(4096);
  qcow.text(0, "QFI\xfb\0\0\0\1"sv).fill(32, 1, 16).fill(33, 1, 13).be64(40, 48).be64(24, kHuge);
  EXPECT_EQ(see(qcow), refused(Format::qcow, kReason));

  Image qed(65'536);
  qed.text(0, "QED").le32(4, 64U << 20U).le32(8, 16).le32(12, 1).le64(40, 64U << 20U);
  EXPECT_EQ(see(qed.le64(48, kHuge)), refused(Format::qed, kReason));

  Image vdi(4096);
  vdi.le32(0x40, 0xbeda107f).le32(0x44, 0x1'0001).le32(0x4c, 1).le32(0x154, 512);
  vdi.le32(0x158, 1024).le32(0x168, 512).le32(0x178, 1U << 31U).le32(0x180, 0x3fff'ffff);
  EXPECT_EQ(see(vdi.le64(0x170, kHuge)), refused(Format::vdi, kReason));

  Image ploop(4096);
  ploop.text(0, "WithouFreSpacExt").le32(16, 2).le32(28, UINT32_MAX).le32(32, UINT32_MAX / 512);
  EXPECT_EQ(see(ploop.le64(36, kHuge / 512)), refused(Format::ploop, kReason));

  auto vmdk = testing_images::vmdk(testing_images::vmdk_descriptor());
  EXPECT_EQ(see(vmdk.le64(12, kHuge / 512).le64(20, 0x20'0000)), refused(Format::vmdk, kReason));
  EXPECT_EQ(see(testing_images::vhdx().le64(0x21'0020, kHuge)), refused(Format::vhdx, kReason));

  auto vhd = testing_images::vhd_dynamic();
  vhd.text(0, characters(testing_images::vhd_footer(3, kHuge).bytes()));
  EXPECT_EQ(see(vhd), refused(Format::vhd, kReason));

  auto zvhd = testing_images::zvhd("stream").le64(48, kHuge);
  EXPECT_EQ(see(zvhd.le32(64, testing_images::sum_of(zvhd, 0, 512, 64))),
            refused(Format::zvhd, kReason));
}

} // namespace
} // namespace vitrine::formats
