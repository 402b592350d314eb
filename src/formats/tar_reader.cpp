#include "formats/tar_reader.hpp"

#include "base/text.hpp"
#include "formats/source.hpp"

#include <algorithm>
#include <utility>

namespace vitrine::formats {
namespace {

using Kind = TarMember::Kind;

constexpr std::size_t kExtensionBytesMax = 64U << 10U;  // a name and a few numbers
constexpr int kFilesMaxInOva = 1024;                    // a virtual machine has a handful
constexpr int kExtensionsMaxInOva = 4 * kFilesMaxInOva; // a name and numbers before each of them

bool climbs(std::string_view name) {
  if (name.starts_with('/')) return true;
  auto const parts = text::split(name, '/');
  return std::ranges::find(parts, "..") != parts.end();
}

} // namespace

Result<TarStep> TarReader::take(Bytes bytes, std::uint64_t position) {
  if (extending_) return read_extension(bytes);
  if (all_zero(bytes)) return TarStep{.member = {}, .ended = true};
  auto member = TRY(tar_member_in(bytes));
  switch (member.kind) {
  case Kind::extended:
  case Kind::extended_global:
  case Kind::long_name: return expect_extension(member);
  case Kind::file:
  case Kind::folder:
  case Kind::other: break;
  }
  return open_member(std::move(member), position);
}

Result<TarStep> TarReader::expect_extension(TarMember const& member) {
  if (member.size_bytes == 0 || member.size_bytes > kExtensionBytesMax) {
    return unsafe("has an extended header of a size out of range");
  }
  if (rules_ == TarRules::ova && ++extensions_ > kExtensionsMaxInOva) {
    return unsafe("has too many extended headers");
  }
  extending_ = member;
  return TarStep{.member = {}, .length = static_cast<std::size_t>(padded(member.size_bytes))};
}

Result<TarStep> TarReader::read_extension(Bytes bytes) {
  auto const header = std::exchange(extending_, std::nullopt).value();
  auto const text = characters(bytes.first(static_cast<std::size_t>(header.size_bytes)));
  if (header.kind == Kind::long_name) {
    extension_.name = text.substr(0, text.find('\0'));
  } else if (header.kind == Kind::extended) {
    TRY(extend(extension_, text));
  } else {
    TarExtension all;
    TRY(extend(all, text));
    if (all.name || all.size_bytes || all.sparse) {
      return unsafe("has one name or size for all of its members");
    }
  }
  return TarStep{};
}

Result<TarStep> TarReader::open_member(TarMember member, std::uint64_t position) {
  auto const extension = std::exchange(extension_, {});
  if (extension.name) member.name = *extension.name;
  if (extension.size_bytes) member.size_bytes = *extension.size_bytes;
  if (climbs(member.name)) return unsafe("has a member whose name leads out of the archive");
  if (rules_ == TarRules::ova) TRY(check_for_ova(member, extension));
  auto const length = padded(member.size_bytes);
  if (position + length > INT64_MAX) return unsafe("has a member of a size out of range");
  return TarStep{.member = std::move(member), .skip = length};
}

Result<> TarReader::check_for_ova(TarMember const& member, TarExtension const& extension) {
  if (member.kind == Kind::other) return unsafe("has a member that is no file, as a link");
  if (extension.sparse) return unsafe("has a sparse member");
  if (member.kind == Kind::folder && member.size_bytes > 0) {
    return unsafe("has a folder with a content of its own");
  }
  if (++files_ > kFilesMaxInOva) return unsafe("has too many members");
  return {};
}

} // namespace vitrine::formats
