// tar, which is also what an OVA is. Only the names of the members are read.
#include "base/text.hpp"
#include "formats/probe.hpp"

namespace vitrine::formats {
namespace {

constexpr std::size_t kHeader = 512;
constexpr std::size_t kChecksumOffset = 148;
constexpr std::size_t kChecksumLength = 8;
constexpr int kMembersMax =
    128; // an OVA has a handful; of a longer archive the first ones are looked at

// Octal digits, blank or NUL padded; nothing when there is anything else.
std::optional<std::uint64_t> octal(Bytes field) {
  std::uint64_t value = 0;
  bool digits = false;
  for (char const c : characters(field)) {
    if (c >= '0' && c <= '7') {
      value = value << 3 | static_cast<std::uint64_t>(c - '0');
      digits = true;
    } else if (c != ' ' && c != '\0') {
      return std::nullopt;
    }
  }
  return digits ? std::optional(value) : std::nullopt;
}

bool checksum_fits(Bytes header) {
  std::uint64_t sum = kChecksumLength * ' ';
  for (std::size_t i = 0; i < kHeader; ++i) {
    if (i < kChecksumOffset || i >= kChecksumOffset + kChecksumLength) sum += u8(header, i);
  }
  return octal(part(header, kChecksumOffset, kChecksumLength)) == sum;
}

// Members above 8 GiB have a binary size: the highest bit of the field is set.
std::optional<std::uint64_t> member_size(Bytes header) {
  if ((u8(header, 124) & 0x80U) == 0) return octal(part(header, 124, 12));
  auto const size = be64(header, 128);
  if (size > INT64_MAX / 2) return std::nullopt;
  return size;
}

bool climbs(std::string_view name) {
  name = name.substr(0, name.find('\0'));
  if (name.starts_with('/')) return true;
  auto const parts = text::split(name, '/');
  return std::ranges::find(parts, "..") != parts.end();
}

Result<VirtualSize> inspect(Source& source) {
  std::uint64_t offset = 0;
  for (int i = 0; i < kMembersMax; ++i) {
    auto const header = TRY(source.read(offset, kHeader, "its members"));
    if (all_zero(header)) return VirtualSize{};
    auto const size = member_size(header);
    if (!checksum_fits(header) || !size) return unsafe("has a damaged member header");
    if (climbs(characters(part(header, 0, 100))) || climbs(characters(part(header, 345, 155)))) {
      return unsafe("has a member whose name leads out of the archive");
    }
    offset += kHeader + pieces(*size, kHeader) * kHeader;
    if (offset > INT64_MAX) return unsafe("has a member of a size out of range");
  }
  return VirtualSize{};
}

} // namespace

Probe tar_probe() {
  return {.format = Format::tar,
          .begins =
              [](Bytes head) {
                return head.size() >= kHeader && stands_at(head, 257, "ustar") &&
                       checksum_fits(head);
              },
          .inspect = inspect};
}

} // namespace vitrine::formats
