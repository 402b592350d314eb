// Images made in code, for tests: an honest one of each kind, and the tools to harm it.
#pragma once

#include "formats/inspector.hpp"
#include "formats/tar_member.hpp"

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::formats::testing_images {

using namespace std::string_view_literals;

/// Bytes that grow as they are written; the rest is zero.
class Image {
public:
  explicit Image(std::size_t size = 0) : bytes_(size) {}

  Image& text(std::size_t at, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      put(at + i, static_cast<std::uint8_t>(text[i]));
    return *this;
  }
  template <class T>
  Image& be(std::size_t at, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      put(at + i, static_cast<std::uint8_t>(value >> 8 * (sizeof(T) - 1 - i)));
    }
    return *this;
  }
  template <class T>
  Image& le(std::size_t at, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      put(at + i, static_cast<std::uint8_t>(value >> 8 * i));
    return *this;
  }
  Image& be32(std::size_t at, std::uint32_t value) { return be(at, value); }
  Image& be64(std::size_t at, std::uint64_t value) { return be(at, value); }
  Image& le16(std::size_t at, std::uint16_t value) { return le(at, value); }
  Image& le32(std::size_t at, std::uint32_t value) { return le(at, value); }
  Image& le64(std::size_t at, std::uint64_t value) { return le(at, value); }
  Image& fill(std::size_t at, std::size_t count, std::uint8_t value) {
    for (std::size_t i = 0; i < count; ++i)
      put(at + i, value);
    return *this;
  }
  Image& copy(std::size_t from, std::size_t to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      put(to + i, static_cast<std::uint8_t>(bytes_[from + i]));
    return *this;
  }
  Image& size(std::size_t size) {
    bytes_.resize(size);
    return *this;
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] Bytes bytes() const { return bytes_; }

private:
  void put(std::size_t at, std::uint8_t value) {
    if (at >= bytes_.size()) bytes_.resize(at + 1);
    bytes_[at] = static_cast<std::byte>(value);
  }

  std::vector<std::byte> bytes_;
};

inline Finding inspect(Image const& image, std::size_t chunk = 65'536) {
  Inspector inspector;
  for (auto rest = image.bytes(); !rest.empty();) {
    auto const count = std::min(chunk, rest.size());
    inspector.feed(rest.first(count));
    rest = rest.subspan(count);
  }
  return inspector.finish();
}

/// What a test looks at, printable. Runs the inspection twice, in different chunks.
struct Seen {
  Format format;
  std::string unsafe; ///< empty when safe
  std::optional<std::uint64_t> virtual_size;

  bool operator==(Seen const&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, Seen const& seen) {
  return out << name_of(seen.format) << " " << seen.virtual_size.value_or(0) << " " << seen.unsafe;
}

inline Seen see(Image const& image) {
  auto const finding = inspect(image);
  CHECK(inspect(image, 997) == finding);
  return {finding.format, finding.unsafe.value_or(""), finding.virtual_size_bytes};
}

inline Seen safe(Format format, VirtualSize virtual_size) { return {format, "", virtual_size}; }
inline Seen refused(Format format, std::string reason) { return {format, std::move(reason), {}}; }

/// One's complement of the sum of bytes, as VHD and ZVHD have it; the checksum itself counts as
/// zero.
inline std::uint32_t sum_of(Image const& image, std::size_t at, std::size_t count,
                            std::size_t checksum) {
  std::uint32_t sum = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (i < checksum || i >= checksum + 4) sum += static_cast<std::uint8_t>(image.bytes()[i]);
  }
  return ~sum;
}

inline Image qcow2() {
  Image image(262'144);
  image.text(0, "QFI\xfb").be32(4, 3).be32(20, 16).be64(24, 1ULL << 30).be32(36, 2);
  image.be64(40, 0x3'0000).be64(48, 0x1'0000).be32(56, 1).be32(96, 4).be32(100, 104);
  return image.be64(0x1'0000, 0x2'0000).fill(0x2'0000, 8, 1);
}

inline std::string vmdk_descriptor() {
  return "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
         "createType=\"monolithicSparse\"\n\n# Extent description\nRW 2048 SPARSE \"disk.vmdk\"\n\n"
         "# The Disk Data Base\nddb.adapterType = \"ide\"\n";
}

inline Image vmdk(std::string_view descriptor, std::size_t sector = 1) {
  Image image(65'536);
  image.text(0, "KDMV").le32(4, 1).le32(8, 3).le64(12, 2048).le64(20, 128);
  image.le64(28, sector).le64(36, 20).le32(44, 512).le64(48, 0x15).le64(56, 0x1a);
  return image.text(sector * 512, descriptor).size(std::max(image.size(), (sector + 20) * 512));
}

inline Image vhd_footer(std::uint32_t type, std::uint64_t size) {
  Image image(512);
  image.text(0, "conectix").be32(8, 2).be32(12, 0x1'0000).be64(16, type == 2 ? UINT64_MAX : 512);
  image.be64(40, size).be64(48, size).be32(60, type);
  return image.be32(64, sum_of(image, 0, 512, 64));
}

inline Image vhd_fixed(std::size_t size) {
  Image image(size);
  return image.text(size, characters(vhd_footer(2, size).bytes()));
}

inline Image vhd_dynamic() {
  auto image = vhd_footer(3, 4U << 20U);
  image.text(512, "cxsparse").be64(520, UINT64_MAX).be64(528, 1536).be32(536, 0x1'0000);
  image.be32(540, 2).be32(544, 2U << 20U).size(1536).be32(548, sum_of(image, 512, 1024, 548));
  return image.fill(1536, 512, 0xff).text(2048, characters(vhd_footer(3, 4U << 20U).bytes()));
}

inline Image iso() {
  Image image(40 * 2048);
  image
      .text(0x8000, "\x01"
                    "CD001\x01")
      .le32(0x8050, 40)
      .be32(0x8054, 40);
  image.le16(0x8080, 2048).be<std::uint16_t>(0x8082, 2048);
  return image.text(0x8800, "\xff"
                            "CD001\x01");
}

inline Image zvhd(std::string_view cookie) {
  Image header(4096);
  header.text(0, cookie).le64(40, 8U << 20U).le64(48, 8U << 20U).le32(60, 3);
  header.le32(64, sum_of(header, 0, 512, 64));
  auto image = header;
  image.text(4096, "hwstream bg").le32(4108, 100).fill(4144, 100, 0x5a).text(8188, "end");
  return image.size(8192).text(8192, characters(header.bytes()));
}

/// A member header with its checksum, the content, and room for the end of the archive.
inline Image& add_member(Image& tar, std::string_view name, Bytes content, char kind = '0') {
  auto const at = tar.size() < 1024 ? 0 : tar.size() - 1024;
  std::string size(11, '0');
  auto left = content.size();
  for (std::size_t i = size.size(); i-- > 0; left >>= 3U)
    size[i] = static_cast<char>('0' + left % 8);
  tar.text(at, name).text(at + 124, size).fill(at + 156, 1, static_cast<std::uint8_t>(kind));
  tar.text(at + 257, std::string_view("ustar\0", 6)).size(at + kTarBlock);
  std::uint32_t sum = 8 * ' ';
  for (std::size_t i = at; i < at + kTarBlock; ++i)
    sum += static_cast<std::uint8_t>(tar.bytes()[i]);
  std::string octal(6, '0');
  for (std::size_t i = 6; i-- > 0; sum >>= 3U)
    octal[i] = static_cast<char>('0' + sum % 8);
  tar.text(at + 148, octal).text(at + 154, std::string_view("\0 ", 2));
  tar.text(at + kTarBlock, characters(content));
  return tar.size(at + kTarBlock + static_cast<std::size_t>(padded(content.size())) + 1024);
}

/// CRC-32C, bit by bit.
inline std::uint32_t crc_of(Image const& image, std::size_t at, std::size_t count) {
  std::uint32_t crc = UINT32_MAX;
  for (std::size_t i = 0; i < count; ++i) {
    crc ^= i >= 4 && i < 8 ? 0U : static_cast<std::uint8_t>(image.bytes()[at + i]);
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1U ^ (crc & 1U ? 0x82f6'3b78U : 0U);
  }
  return ~crc;
}

/// Writes the checksums of all headers and region tables anew.
inline Image& seal_vhdx(Image& image) {
  for (std::size_t const at : {0x1'0000U, 0x2'0000U}) {
    image.le32(at + 4, crc_of(image, at, 4096));
  }
  for (std::size_t const at : {0x3'0000U, 0x4'0000U}) {
    image.le32(at + 4, crc_of(image, at, 65'536));
  }
  return image;
}

/// The block table at 3 MiB, metadata at 2 MiB, the log at 1 MiB.
inline Image vhdx() {
  Image image(4U << 20U);
  image.text(0, "vhdxfile");
  for (std::size_t const at : {0x1'0000U, 0x2'0000U}) {
    image.text(at, "head").le64(at + 8, at >> 16U).le16(at + 66, 1).le32(at + 68, 1U << 20U);
    image.le64(at + 72, 1U << 20U);
  }
  auto const region = [&](std::size_t at, std::string_view id, std::uint64_t offset) {
    image.text(at, id).le64(at + 16, offset).le32(at + 24, 1U << 20U).le32(at + 28, 1);
  };
  for (std::size_t const at : {0x3'0000U, 0x4'0000U}) {
    image.text(at, "regi").le32(at + 8, 2);
    region(at + 16, "\x66\x77\xc2\x2d\x23\xf6\0\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08"sv, 3U << 20U);
    region(at + 48, "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"sv,
           2U << 20U);
  }
  constexpr std::size_t kMetadata = 2U << 20U;
  image.text(kMetadata, "metadata").le16(kMetadata + 10, 3);
  auto const item = [&](std::size_t i, std::string_view id, std::uint32_t length) {
    auto const at = kMetadata + 32 + 32 * i;
    auto const offset = static_cast<std::uint32_t>(0x1'0000 + 32 * i);
    image.text(at, id).le32(at + 16, offset).le32(at + 20, length).le32(at + 24, 4);
  };
  item(0, "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"sv, 8);
  item(1, "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8"sv, 8);
  item(2, "\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f"sv, 4);
  image.le32(0x21'0000, 32U << 20U).le64(0x21'0020, 1ULL << 40U).le32(0x21'0040, 512);
  return seal_vhdx(image);
}

} // namespace vitrine::formats::testing_images
