#include "formats/tar_member.hpp"

#include "base/text.hpp"
#include "formats/source.hpp"

namespace vitrine::formats {
namespace {

constexpr std::size_t kChecksumOffset = 148;
constexpr std::size_t kChecksumLength = 8;

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
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    if (i < kChecksumOffset || i >= kChecksumOffset + kChecksumLength) sum += u8(header, i);
  }
  return octal(part(header, kChecksumOffset, kChecksumLength)) == sum;
}

// Links and devices have no content, whatever size stands there.
bool has_content(Bytes header) {
  constexpr std::string_view kWithout = "12346";
  return kWithout.find(characters(header)[156]) == std::string_view::npos;
}

// Members above 8 GiB have a binary size: the highest bit of the field is set.
std::optional<std::uint64_t> size_in(Bytes header) {
  if ((u8(header, 124) & 0x80U) == 0) return octal(part(header, 124, 12));
  auto const size = be64(header, 128);
  if (size > INT64_MAX / 2) return std::nullopt;
  return size;
}

TarMember::Kind kind_in(Bytes header) {
  using enum TarMember::Kind;
  switch (characters(header)[156]) {
  case '\0':
  case '0':
  case '7': return file;
  case '5': return folder;
  case 'x': return extended;
  case 'g': return extended_global;
  case 'L': return long_name;
  default: return other;
  }
}

std::string text_in(Bytes field) {
  auto const text = characters(field);
  return std::string(text.substr(0, text.find('\0')));
}

Error damaged() { return unsafe("has a damaged member header"); }

} // namespace

bool is_tar(Bytes head) {
  return head.size() >= kTarBlock && stands_at(head, 257, "ustar") && checksum_fits(head);
}

bool is_ovf(std::string_view name) { return text::to_lower(name).ends_with(".ovf"); }

Result<TarMember> tar_member_in(Bytes block) {
  auto const size = size_in(block);
  if (!checksum_fits(block) || !size) return damaged();
  // What stands after the name depends on the kind of tar; only one of them has more of the name.
  auto const before = stands_at(block, 257, std::string_view("ustar\0", 6))
                          ? text_in(part(block, 345, 155))
                          : std::string();
  auto const name = text_in(part(block, 0, 100));
  return TarMember{kind_in(block), before.empty() ? name : before + "/" + name,
                   has_content(block) ? *size : 0};
}

// Each record is "length key=value\n", the length that of the whole record.
Result<> extend(TarExtension& extension, std::string_view records) {
  while (!records.empty() && records.front() != '\0') {
    auto const blank = records.find(' ');
    auto const length = text::parse_int(records.substr(0, blank));
    if (blank == std::string_view::npos || !length || *length < 0) return damaged();
    auto const bytes = static_cast<std::size_t>(*length);
    if (bytes <= blank + 1 || bytes > records.size() || records[bytes - 1] != '\n') {
      return damaged();
    }
    auto const record = records.substr(blank + 1, bytes - blank - 2);
    records.remove_prefix(bytes);
    auto const equals = record.find('=');
    if (equals == std::string_view::npos) return damaged();
    auto const key = record.substr(0, equals);
    auto const value = record.substr(equals + 1);
    if (key == "path") extension.name = value;
    if (key.starts_with("GNU.sparse.")) extension.sparse = true;
    if (key != "size") continue;
    auto const size = text::parse_int(value);
    if (!size || *size < 0 || *size > INT64_MAX / 2) return damaged();
    extension.size_bytes = static_cast<std::uint64_t>(*size);
  }
  return {};
}

std::uint64_t padded(std::uint64_t size_bytes) { return pieces(size_bytes, kTarBlock) * kTarBlock; }

} // namespace vitrine::formats
