// The descriptor of an OVA, and where its disks lie.
#include "formats/ova.hpp"
#include "formats/ovf.hpp"
#include "formats/test_image.hpp"
#include "formats/xml_reader.hpp"

#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vitrine::formats {
namespace {

using testing_images::add_member;
using testing_images::Image;

Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

class Archive final : public StoredBytes {
public:
  explicit Archive(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return bytes_.size(); }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return 1; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    CHECK(lies_within(offset, into.size(), bytes_.size()));
    std::memcpy(into.data(), bytes_.data() + offset, into.size());
    read_bytes += into.size();
    return {};
  }

  std::size_t read_bytes{0};

private:
  Bytes bytes_;
};

// Every token of a document, or why it is refused.
std::string tokens(std::string_view document) {
  XmlReader xml(document);
  std::string out;
  for (;;) {
    auto const token = xml.next();
    if (!token) return token.error().detail;
    switch (*token) {
    case XmlReader::Token::begin:
      out += fmt::format("<{} {}|{}", xml.name(), xml.attribute("a"), xml.attribute("b"));
      break;
    case XmlReader::Token::text: out += "'" + xml.text() + "'"; break;
    case XmlReader::Token::end: out += fmt::format(">{}", xml.name()); break;
    case XmlReader::Token::done: return out;
    }
  }
}

// What disks there are, each as file=size, or why the descriptor is refused.
std::string disks_of(std::string_view document) {
  auto const disks = ovf_disks(document);
  if (!disks) return disks.error().detail;
  std::string out;
  for (auto const& disk : *disks)
    out += fmt::format("{}={} ", disk.file, disk.size_bytes.value_or(0));
  return out;
}

std::string envelope(std::string_view files, std::string_view disks, std::string_view rest = "") {
  return fmt::format(
      "<?xml version='1.0'?>\n<!-- made for a test -->\n"
      "<Envelope xmlns='http://schemas.dmtf.org/ovf/envelope/1' xmlns:ovf='o' xmlns:rasd='r'>"
      "<References>{}</References><DiskSection><Info>disks</Info>{}</DiskSection>"
      "<VirtualSystem ovf:id='vm'>{}</VirtualSystem></Envelope>",
      files, disks, rest);
}

std::string file(std::string_view id, std::string_view more = "") {
  return fmt::format("<File ovf:id='f{0}' ovf:href='{0}.vmdk' {1}/>", id, more);
}

std::string disk(std::string_view id, std::string_view more = "") {
  return fmt::format("<ovf:Disk ovf:diskId='d{0}' ovf:fileRef='f{0}' {1}/>", id, more);
}

std::string drive(std::string_view resource) {
  return fmt::format("<Item><rasd:HostResource> {} </rasd:HostResource></Item>", resource);
}

std::string const kTwo = envelope(file("1") + file("2"), disk("1") + disk("2"));

Image ova(std::string_view document) {
  Image image;
  return add_member(image, "vm.ovf", bytes_of(document));
}

Image with(Image image, std::string_view name, std::string_view content, char kind = '0') {
  return add_member(image, name, bytes_of(content), kind);
}

// The disks as offset+size, or why the archive is refused.
std::string found(Image const& image) {
  Archive archive(image.bytes());
  auto const disks = ova_disks(archive);
  if (!disks) return disks.error().detail;
  std::string out;
  for (auto const& each : *disks)
    out += fmt::format("{}+{} ", each.offset, each.size_bytes);
  return out;
}

TEST(Xml, what_it_reads) {
  EXPECT_EQ(tokens("\xef\xbb\xbf<?xml version='1.0'?><x:r a='1' y:b=\"&lt;&#x41;&#228;\" />\n"),
            "<r 1|<A\xc3\xa4>r");
  EXPECT_EQ(tokens("<r><!-- <no> --><b >t&amp;<![CDATA[<&>]]></b ></r>"), "<r |<b |'t&''<&>'>b>r");
}

TEST(Xml, what_is_no_document) {
  constexpr auto kMalformed = "has a descriptor that is no well-formed XML";
  for (auto const* text : {"",
                           " ",
                           "text",
                           "<r>",
                           "<r></s>",
                           "</r>",
                           "<r/><r/>",
                           "<r/>x",
                           "<r a=1/>",
                           "<r a='1'b='2'/>",
                           "<r a/>",
                           "<r a='<'/>",
                           "<r>&none;</r>",
                           "<r>&</r>",
                           "<r>&#0;</r>",
                           "<r>&#xd800;</r>",
                           "<r>&#x110000;</r>",
                           "<r>&#99999999999;</r>",
                           "<r>\xff</r>",
                           "<!-- -><r/>",
                           "<?xml",
                           "<r><![CDATA[</r>",
                           "<",
                           "<>",
                           "<r",
                           "< r/>",
                           "\xff\xfe<\0r\0"}) {
    EXPECT_EQ(tokens(text), kMalformed) << text;
  }
}

TEST(Xml, bombs) {
  constexpr auto kType = "has a descriptor with a document type";
  EXPECT_EQ(tokens("<!DOCTYPE r [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><r>&b;</r>"), kType);
  EXPECT_EQ(tokens("<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>"), kType);
  EXPECT_EQ(tokens("<r><!ENTITY a 'b'></r>"), kType);
  std::string deep;
  for (int i = 0; i < 100'000; ++i)
    deep += "<a>";
  EXPECT_NE(tokens(deep).find("nested too deeply"), std::string::npos);
}

TEST(Ovf, disks_in_the_order_of_the_drives) {
  EXPECT_EQ(disks_of(kTwo), "1.vmdk=0 2.vmdk=0 ");
  auto const three = file("1", "ovf:size='77'") + file("2") + file("3");
  auto const disks = disk("1") + disk("2") + disk("3");
  auto const drives = drive("ovf:/disk/d3") + drive("/disk/d1") + drive("ovf:/file/cd");
  EXPECT_EQ(disks_of(envelope(three, disks, drives)), "3.vmdk=0 1.vmdk=77 2.vmdk=0 ");
}

TEST(Ovf, disks_without_a_file_are_left_out) {
  auto const empty = "<Disk ovf:diskId='e' ovf:capacity='1'/>";
  EXPECT_EQ(disks_of(envelope(file("1"), empty + disk("1"), drive("ovf:/disk/e"))), "1.vmdk=0 ");
  EXPECT_EQ(disks_of(envelope("", empty)), "");
}

TEST(Ovf, what_is_refused) {
  auto const twice = "has a descriptor that names a file or a disk twice";
  EXPECT_EQ(disks_of(envelope(file("1") + file("1"), disk("1"))), twice);
  EXPECT_EQ(disks_of(envelope(file("1"), disk("1") + disk("1"))), twice);
  EXPECT_EQ(disks_of(envelope(file("1"), disk("1") + "<Disk diskId='o' fileRef='f1'/>")), twice);
  EXPECT_EQ(disks_of(envelope(file("1") + "<File id='o' href='1.vmdk'/>",
                              disk("1") + "<Disk diskId='o' fileRef='o'/>")),
            "has one file for two disks");
  EXPECT_EQ(disks_of(envelope("", disk("1"))),
            "has a descriptor with a disk whose file is not there");
  EXPECT_EQ(disks_of(envelope(file("1"), disk("1"), drive("ovf:/disk/d2"))),
            "has a descriptor with a drive whose disk is not there");
  EXPECT_EQ(disks_of(envelope(file("1"), disk("1"), drive("/disk/d1") + drive("/disk/d1"))),
            "has a descriptor with a drive whose disk is not there");
  EXPECT_EQ(disks_of(envelope(file("1"), disk("1", "ovf:parentRef='d0'"))),
            "has a disk that builds on another");
  auto const packed = "has a disk that is packed, or in pieces";
  EXPECT_EQ(disks_of(envelope(file("1", "ovf:compression='gzip'"), disk("1"))), packed);
  EXPECT_EQ(disks_of(envelope(file("1", "ovf:chunkSize='100'"), disk("1"))), packed);
  EXPECT_EQ(disks_of(envelope(file("1", "ovf:compression='identity'"), disk("1"))), "1.vmdk=0 ");
  for (auto const* size : {"-1", "x", "99999999999999999999"}) {
    EXPECT_EQ(disks_of(envelope(file("1", fmt::format("size='{}'", size)), disk("1"))),
              "has a descriptor with a size that is no number");
  }
  EXPECT_EQ(disks_of("<a/>"), "has a descriptor that is no OVF envelope");
  EXPECT_EQ(disks_of("<Envelope><VirtualSystemCollection><VirtualSystem/><VirtualSystem/>"
                     "</VirtualSystemCollection></Envelope>"),
            "describes several virtual machines");
  std::string many;
  for (int i = 0; i < 257; ++i)
    many += disk(std::to_string(i));
  EXPECT_EQ(disks_of(envelope("", many)), "describes too many disks");
}

TEST(OvaDisks, where_they_lie) {
  auto const image = with(with(ova(kTwo), "1.vmdk", "one"), "2.vmdk", std::string(600, '2'));
  auto const first = 1024 + padded(kTwo.size());
  EXPECT_EQ(found(image), fmt::format("{}+3 {}+600 ", first, first + 1024));
  // The disks themselves are not read.
  auto const large = with(with(ova(kTwo), "1.vmdk", std::string(1 << 20, '1')), "2.vmdk", "2");
  Archive archive(large.bytes());
  EXPECT_TRUE(ova_disks(archive));
  EXPECT_LT(archive.read_bytes, 10'000U);
}

TEST(OvaDisks, whatever_stands_before_the_names) {
  Image image;
  add_member(image, "./vm/", {}, '5');
  add_member(image, "./vm/vm.ovf",
             bytes_of(envelope("<File id='f1' href='my%20disk'/>", disk("1"))));
  add_member(image, "1.vmdk", bytes_of("elsewhere"));
  add_member(image, "./vm/my disk", bytes_of("x"));
  EXPECT_TRUE(found(image).ends_with("+1 ")) << found(image); // not the one that has 9 bytes
}

TEST(OvaDisks, what_is_no_ova) {
  auto const refused = [](Image const& image) {
    Archive archive(image.bytes());
    auto const disks = ova_disks(archive);
    return !disks && disks.error().fault == Fault::format_mismatch;
  };
  EXPECT_TRUE(refused(Image(0)));
  EXPECT_TRUE(refused(Image(100)));
  EXPECT_TRUE(refused(Image(4096)));
  Image empty;
  EXPECT_TRUE(refused(add_member(empty, "folder", {}, '5')));
  Image late;
  add_member(late, "1.vmdk", bytes_of("x"));
  EXPECT_TRUE(refused(with(late, "vm.ovf", kTwo)));
}

TEST(OvaDisks, archives_that_cannot_be_trusted) {
  auto const one = envelope(file("1"), disk("1"));
  auto const honest = with(ova(one), "1.vmdk", "x");
  EXPECT_TRUE(found(honest).ends_with("+1 ")) << found(honest);
  EXPECT_EQ(found(with(honest, "1.vmdk", "y")), "has two members of one name");
  EXPECT_EQ(found(with(honest, "./1.vmdk", "y")), "has two members of one name");
  EXPECT_EQ(found(with(honest, "other.ovf", one)), "has two descriptors");
  EXPECT_EQ(found(with(honest, "../x", "y")), "has a member whose name leads out of the archive");
  EXPECT_EQ(found(with(honest, "link", "", '2')), "has a member that is no file, as a link");
  EXPECT_EQ(found(with(with(honest, "pax", "22 GNU.sparse.major=1\n", 'x'), "d", "x")),
            "has a sparse member");
  EXPECT_EQ(found(with(honest, std::string(99, 'n'), "", 'L')),
            "has an extended header of a size out of range");
  EXPECT_EQ(found(with(with(honest, "long", std::string(1025, 'n'), 'L'), "x", "x")),
            "has a member with too long a name");
  EXPECT_EQ(found(ova(one)), "has a disk that is not in it: 1.vmdk");
  EXPECT_EQ(found(with(ova(one), "1.vmdk", "")), "has an empty disk: 1.vmdk");
  EXPECT_EQ(found(ova(envelope("", ""))), "has no disk");
  for (auto const* other : {"./1.vmdk", "%31.vmdk"}) { // one file by two names
    auto const again = fmt::format("<File ovf:id='f2' ovf:href='{}'/>", other);
    EXPECT_EQ(found(with(ova(envelope(file("1") + again, disk("1") + disk("2"))), "1.vmdk", "x")),
              "has one file for two disks");
  }
  auto headers = honest;
  for (int i = 0; i < 4097; ++i)
    add_member(headers, "pax", bytes_of("13 comment=x\n"), 'x');
  EXPECT_EQ(found(headers), "has too many extended headers");
  for (auto const* href : {"vm.ovf", "../1.vmdk", "/etc/passwd", "file:///etc/passwd",
                           "http://localhost/1.vmdk", ""}) {
    auto const document = envelope(fmt::format("<File id='f1' href='{}'/>", href), disk("1"));
    EXPECT_EQ(found(with(ova(document), "1.vmdk", "x")),
              fmt::format("has a disk that is not in it: {}", href));
  }
  std::string const odd = "\x1b[2J" + std::string(200, 'n');
  EXPECT_EQ(found(with(with(Image(), "long", odd, 'L'), "x", "x")),
            "no OVA: the first file in it must be an OVF descriptor, not \\x1b[2J" +
                std::string(124, 'n'));
  auto const sized = envelope(file("1", "ovf:size='2'"), disk("1"));
  EXPECT_EQ(found(with(ova(sized), "1.vmdk", "x")),
            "has a disk of another size than its descriptor says: 1.vmdk");
  EXPECT_EQ(found(ova(std::string((1 << 20) + 1, ' '))), "has a descriptor that is too long");
}

TEST(OvaDisks, cut_anywhere) {
  auto const honest = with(with(ova(kTwo), "1.vmdk", "one"), "2.vmdk", "two");
  // The second of the two blocks that end an archive says nothing.
  auto const needed = honest.size() - 512;
  for (std::size_t size = 512; size < needed; ++size) {
    auto cut = honest;
    EXPECT_EQ(found(cut.size(size)), "is cut: the file ends before the end of its members") << size;
  }
  auto whole = honest;
  EXPECT_TRUE(found(whole.size(needed)).ends_with("+3 "));
}

} // namespace
} // namespace vitrine::formats
