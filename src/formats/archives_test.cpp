// Archives, and the disks in an OVA.
#include "formats/test_image.hpp"

#include <gtest/gtest.h>

namespace vitrine::formats {
namespace {

using namespace std::literals;
using testing_images::add_member;
using testing_images::Image;
using testing_images::refused;
using testing_images::safe;
using testing_images::see;

Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

Image tar() {
  Image image;
  return add_member(add_member(image, "a", bytes_of("text")), "..disk..vmdk", bytes_of("x"));
}

Image ova() {
  Image image;
  return add_member(image, "VM.OVF", bytes_of("<?xml version='1.0'?><Envelope/>"));
}

Image with(Image image, std::string_view name, Bytes content, char kind = '0') {
  return add_member(image, name, content, kind);
}

Image disk(std::string_view descriptor) { return testing_images::vmdk(descriptor); }

// One record of an extended header: its length is that of the whole.
std::string record(std::string_view entry) {
  auto const length = entry.size() + 4; // two digits, the blank, the end
  return std::to_string(length) + " " + std::string(entry) + "\n";
}

TEST(Tar, members) {
  EXPECT_EQ(see(tar()), safe(Format::tar, std::nullopt));
  for (auto const* name : {"../x", "/etc/passwd", "a/../../x", ".."}) {
    EXPECT_EQ(see(with(tar(), name, bytes_of("x"))),
              refused(Format::tar, "has a member whose name leads out of the archive"));
  }
  EXPECT_EQ(see(tar().fill(1024 + 124, 12, 0xff)),
            refused(Format::tar, "has a damaged member header"));
  auto cut = tar();
  EXPECT_EQ(see(cut.size(cut.size() - 1024)),
            refused(Format::tar, "is cut: the file ends before the end of its members"));
  // Without the checksum it is no archive, and a boot sector may say anything.
  EXPECT_EQ(see(Image(4096).text(257, "ustar")), safe(Format::raw, 4096));
}

TEST(Tar, long_archives_and_links_are_as_good) {
  auto image = with(tar(), "lib", {}, '2');
  for (int i = 0; i < 2000; ++i)
    add_member(image, "file-" + std::to_string(i), {});
  EXPECT_EQ(see(image), safe(Format::tar, std::nullopt));
  EXPECT_EQ(see(with(image, "../x", {})),
            refused(Format::tar, "has a member whose name leads out of the archive"));
}

TEST(Tar, extended_headers) {
  constexpr auto kClimbs = "has a member whose name leads out of the archive";
  auto const path = record("path=../../x");
  EXPECT_EQ(see(with(with(tar(), "pax", bytes_of(path), 'x'), "x", bytes_of("x"))),
            refused(Format::tar, kClimbs));
  EXPECT_EQ(see(with(with(tar(), "long", bytes_of("/etc/passwd\0"sv), 'L'), "x", bytes_of("x"))),
            refused(Format::tar, kClimbs));
  // The size in the header says nothing then: the next header stands where the record tells.
  auto const size = record("size=00600");
  auto sized = with(with(tar(), "pax", bytes_of(size), 'x'), "x", {});
  sized.size(sized.size() - 1024 + 600);
  sized.size(sized.size() - 600 + 1024 + 1024);
  EXPECT_EQ(see(with(sized, "../x", {})), refused(Format::tar, kClimbs));
  EXPECT_EQ(see(with(tar(), "pax", bytes_of(record("comment=ab")), 'g')),
            safe(Format::tar, std::nullopt));
  EXPECT_EQ(see(with(tar(), "pax", bytes_of(path), 'g')),
            refused(Format::tar, "has one name or size for all of its members"));
  for (auto const* broken : {"99 path=x\n", "x", "12 pathpath\n", "-4 a=b\n", "3 path=x\n"}) {
    EXPECT_EQ(see(with(tar(), "pax", bytes_of(broken), 'x')),
              refused(Format::tar, "has a damaged member header"));
  }
  EXPECT_EQ(see(with(tar(), "pax", Image(100'000).bytes(), 'x')),
            refused(Format::tar, "has an extended header of a size out of range"));
}

TEST(Ova, honest) {
  auto const vmdk = disk(testing_images::vmdk_descriptor());
  auto image = with(ova(), "disk.vmdk", vmdk.bytes());
  EXPECT_EQ(see(image), safe(Format::ova, std::nullopt));
  EXPECT_EQ(see(with(image, "vm.mf", bytes_of("SHA256(disk.vmdk)= 00\n"))),
            safe(Format::ova, std::nullopt));
  // Behind a folder and what some writers put before each file.
  Image first;
  add_member(first, "vm/", {}, '5');
  add_member(first, "pax", bytes_of(record("mtime=1234")), 'x');
  EXPECT_EQ(see(with(first, "vm/vm.ovf", bytes_of("<?xml?>"))), safe(Format::ova, std::nullopt));
  // An archive that has the descriptor elsewhere is none.
  EXPECT_EQ(see(with(tar(), "vm.ovf", bytes_of("<?xml?>"))), safe(Format::tar, std::nullopt));
}

TEST(Ova, disks_that_refer_to_anything_outside) {
  auto const backed = testing_images::qcow2().be64(8, 0x200).be32(16, 11);
  EXPECT_EQ(see(with(ova(), "disk.qcow2", backed.bytes())),
            refused(Format::ova, "holds a qcow2 that names a backing file"));
  // Whatever its name, and behind an honest one.
  auto const two = with(ova(), "disk1.vmdk", disk(testing_images::vmdk_descriptor()).bytes());
  EXPECT_EQ(see(with(two, "notes.txt", backed.bytes())),
            refused(Format::ova, "holds a qcow2 that names a backing file"));
  auto const flat =
      "# Disk DescriptorFile\ncreateType=\"monolithicFlat\"\nRW 8 FLAT \"/etc/x\" 0\n";
  EXPECT_EQ(see(with(ova(), "disk.vmdk", bytes_of(flat))),
            refused(Format::ova, "holds a vmdk that is a descriptor whose data lies elsewhere"));
  auto text = testing_images::vmdk_descriptor();
  text.replace(text.find("disk.vmdk"), 9, "/etc/pwd");
  EXPECT_EQ(see(with(ova(), "disk.vmdk", disk(text).bytes())),
            refused(Format::ova, "holds a vmdk that has an extent that names another file"));
  auto const cut = testing_images::qcow2().size(100);
  EXPECT_EQ(see(with(ova(), "disk.qcow2", cut.bytes())),
            refused(Format::ova,
                    "holds a qcow2 that is cut: the file ends before the end of its header"));
}

TEST(Ova, members_that_are_no_files) {
  for (char const kind : {'1', '2', '3', '4', '6', 'S', 'K', 'V'}) {
    EXPECT_EQ(see(with(ova(), "disk.vmdk", {}, kind)),
              refused(Format::ova, "has a member that is no file, as a link"));
  }
  EXPECT_EQ(see(with(ova(), "folder", bytes_of("x"), '5')),
            refused(Format::ova, "has a folder with a content of its own"));
  auto const sparse = record("GNU.sparse.major=1");
  EXPECT_EQ(see(with(with(ova(), "pax", bytes_of(sparse), 'x'), "d", bytes_of("x"))),
            refused(Format::ova, "has a sparse member"));
  auto many = ova();
  for (int i = 0; i < 1024; ++i)
    add_member(many, "x", {});
  EXPECT_EQ(see(many), refused(Format::ova, "has too many members"));
  // Some readers go on behind the end.
  auto two = ova();
  EXPECT_EQ(see(two.text(two.size(), characters(tar().bytes()))),
            refused(Format::ova, "has bytes behind its end"));
}

TEST(Ova, archives_in_it_are_not_opened) {
  auto const inner = with(ova(), "disk.qcow2", testing_images::qcow2().be32(16, 1).bytes());
  EXPECT_EQ(see(with(ova(), "inner.ova", inner.bytes())), safe(Format::ova, std::nullopt));
}

TEST(Ova, refused_as_soon_as_the_disk_tells) {
  auto const image = with(ova(), "disk.qcow2", testing_images::qcow2().be32(16, 1).bytes());
  Inspector inspector;
  inspector.feed(image.bytes().first(128U << 10U));
  EXPECT_EQ(inspector.early()->unsafe, "holds a qcow2 that names a backing file");
}

} // namespace
} // namespace vitrine::formats
