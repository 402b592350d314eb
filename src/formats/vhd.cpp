// VHD: dynamic disks, which begin with a copy of their footer, and fixed ones, which only end with
// it.
#include "formats/probe.hpp"

#include <bit>

namespace vitrine::formats {
namespace {

constexpr std::string_view kCookie = "conectix";
constexpr std::string_view kDynamicCookie = "cxsparse";
constexpr std::size_t kFooter = 512;
constexpr std::size_t kFooterChecksum = 64;
constexpr std::size_t kDynamicHeader = 1024;
constexpr std::size_t kDynamicHeaderChecksum = 36;
constexpr std::uint32_t kVersion = 0x0001'0000;

enum Type : std::uint32_t { fixed = 2, dynamic = 3, differencing = 4 };

struct Footer {
  std::uint32_t version;
  std::uint64_t header_offset;
  std::uint64_t size_bytes;
  std::uint32_t type;
  bool checksum_fits;

  bool operator==(Footer const&) const = default;
};

// Bytes summed up, the checksum itself left out, all bits turned.
bool checksum_fits(Bytes bytes, std::size_t checksum_offset) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i < checksum_offset || i >= checksum_offset + 4) sum += u8(bytes, i);
  }
  return be32(bytes, checksum_offset) == ~sum;
}

Footer footer_in(Bytes bytes) {
  return {.version = be32(bytes, 12),
          .header_offset = be64(bytes, 16),
          .size_bytes = be64(bytes, 48),
          .type = be32(bytes, 60),
          .checksum_fits = checksum_fits(bytes, kFooterChecksum)};
}

Result<> check_footer(Footer const& footer) {
  if (footer.type == Type::differencing) return unsafe("is a differencing disk: it names a parent");
  if (!footer.checksum_fits) return unsafe("is damaged: the checksum of its footer is wrong");
  if (footer.version >> 16U != kVersion >> 16U) return unsafe("is of an unknown version");
  return check_virtual_size(footer.size_bytes);
}

// Returns the number of bytes up to the end of the block table.
Result<std::uint64_t> check_dynamic_header(Bytes header, Footer const& footer) {
  if (!stands_at(header, 0, kDynamicCookie)) return unsafe("has no dynamic disk header");
  if (!checksum_fits(header, kDynamicHeaderChecksum)) {
    return unsafe("is damaged: the checksum of its dynamic disk header is wrong");
  }
  auto const table_offset = be64(header, 16);
  auto const entries = be32(header, 28);
  auto const block_bytes = be32(header, 32);
  if (be32(header, 24) >> 16U != kVersion >> 16U) return unsafe("is of an unknown version");
  // Parent: its name, and eight locators of 24 bytes.
  if (!all_zero(part(header, 64, 512)) || !all_zero(part(header, 576, 192))) {
    return unsafe("names a parent disk");
  }
  if (!std::has_single_bit(block_bytes) || block_bytes < 4096) {
    return unsafe("has a block size out of range");
  }
  auto const reach = product(entries, block_bytes);
  if (!reach || footer.size_bytes > *reach) {
    return unsafe("has a block table too small for its virtual size");
  }
  if (table_offset < kFooter || table_offset > INT64_MAX)
    return unsafe("has a misplaced block table");
  return table_offset + std::uint64_t{entries} * 4;
}

Result<VirtualSize> inspect_dynamic(Source& source) {
  auto const footer = footer_in(TRY(source.read(0, kFooter, "its footer")));
  TRY(check_footer(footer));
  if (footer.type != Type::dynamic) return unsafe("begins with the footer of another kind of disk");
  if (footer.header_offset < kFooter) return unsafe("has a misplaced dynamic disk header");
  auto const header =
      TRY(source.read(footer.header_offset, kDynamicHeader, "its dynamic disk header"));
  auto const table_end = TRY(check_dynamic_header(header, footer));

  auto const size = TRY(source.size());
  auto const last = TRY(source.tail(kFooter, "its footer"));
  if (size < table_end + kFooter) return unsafe("is cut: its block table lies beyond the end");
  if (!stands_at(last, 0, kCookie)) return unsafe("is cut: it does not end with a footer");
  if (footer_in(last) != footer) return unsafe("has two footers that contradict each other");
  return footer.size_bytes;
}

Result<VirtualSize> inspect_fixed(Source& source) {
  auto const size = TRY(source.size());
  auto const footer = footer_in(TRY(source.tail(kFooter, "its footer")));
  TRY(check_footer(footer));
  if (footer.type != Type::fixed) return unsafe("is cut: it does not begin with its footer");
  if (footer.size_bytes > size - kFooter)
    return unsafe("is cut: it is shorter than its footer tells");
  return footer.size_bytes;
}

Result<VirtualSize> inspect(Source& source) {
  return stands_at(source.head(), 0, kCookie) ? inspect_dynamic(source) : inspect_fixed(source);
}

} // namespace

Probe vhd_probe() {
  return {.format = Format::vhd,
          .begins = [](Bytes head) { return stands_at(head, 0, kCookie); },
          .inspect = inspect,
          .ends =
              [](Bytes tail) {
                if (tail.size() < kFooter) return false;
                auto const last = tail.last(kFooter);
                return stands_at(last, 0, kCookie) && checksum_fits(last, kFooterChecksum);
              }};
}

} // namespace vitrine::formats
