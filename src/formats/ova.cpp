#include "formats/ova.hpp"

#include "base/text.hpp"
#include "formats/ovf.hpp"
#include "formats/source.hpp"
#include "formats/tar_reader.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace vitrine::formats {
namespace {

constexpr std::uint64_t kDescriptorBytesMax = 1U << 20U;
constexpr std::size_t kNameBytesMax = 1024; // 1 MiB of names at most, of as many members
constexpr std::size_t kShownBytesMax = 128;

struct Place {
  std::uint64_t offset;
  std::uint64_t size_bytes;
};

struct Contents {
  std::string descriptor; ///< its name, the first in the archive
  std::map<std::string, Place> files;
};

// A name as it may stand in the reason of a failure.
std::string shown(std::string_view name) {
  return text::printable(text::to_utf8(name.substr(0, kShownBytesMax)));
}

Error is_cut() { return unsafe("is cut: the file ends before the end of its members"); }

Result<std::vector<std::byte>> read(StoredBytes& archive, std::uint64_t offset,
                                    std::uint64_t length) {
  if (!lies_within(offset, length, archive.size_bytes())) return is_cut();
  std::vector<std::byte> bytes(static_cast<std::size_t>(length));
  TRY(archive.read(offset, bytes));
  return bytes;
}

// Some writers put ./ before each name.
std::string plain_name(std::string name) {
  while (name.starts_with("./"))
    name.erase(0, 2);
  return name;
}

// The file that a descriptor names relative to itself, by a URI: most writers leave blanks as they
// are.
std::optional<OvaDisk> find(Contents const& contents, std::string_view href) {
  auto const folder = contents.descriptor.substr(0, contents.descriptor.rfind('/') + 1);
  auto const plain = std::string(href);
  for (auto const& name : {plain, text::percent_decode(href, false).value_or(plain)}) {
    auto const file = contents.files.find(folder + plain_name(name));
    if (file == contents.files.end() || file->first == contents.descriptor) continue;
    return OvaDisk{file->second.offset, file->second.size_bytes};
  }
  return std::nullopt;
}

Result<> note_file(Contents& contents, TarMember const& member, std::uint64_t offset) {
  if (member.name.size() > kNameBytesMax) return unsafe("has a member with too long a name");
  auto const name = plain_name(member.name);
  if (contents.files.empty()) {
    if (!is_ovf(name)) {
      return error(Fault::format_mismatch,
                   "no OVA: the first file in it must be an OVF descriptor, not " + shown(name));
    }
    contents.descriptor = name;
  } else if (is_ovf(name)) {
    return unsafe("has two descriptors");
  }
  if (!contents.files.emplace(name, Place{offset, member.size_bytes}).second) {
    return unsafe("has two members of one name");
  }
  return {};
}

Result<Contents> list(StoredBytes& archive) {
  if (archive.size_bytes() < kTarBlock || !is_tar(TRY(read(archive, 0, kTarBlock)))) {
    return error(Fault::format_mismatch, "no OVA: the file is no tar archive");
  }
  Contents contents;
  TarReader reader(TarRules::ova);
  std::uint64_t position = 0;
  TarStep step;
  while (!step.ended) {
    auto const bytes = TRY(read(archive, position, step.length));
    position += step.length;
    step = TRY(reader.take(bytes, position));
    if (step.member && step.member->kind == TarMember::Kind::file) {
      TRY(note_file(contents, *step.member, position));
    }
    position += step.skip;
  }
  if (contents.files.empty())
    return error(Fault::format_mismatch, "no OVA: there is no file in it");
  return contents;
}

} // namespace

Result<std::vector<OvaDisk>> ova_disks(StoredBytes& archive) {
  auto const contents = TRY(list(archive));
  auto const place = contents.files.at(contents.descriptor);
  if (place.size_bytes > kDescriptorBytesMax) return unsafe("has a descriptor that is too long");
  auto const document = TRY(read(archive, place.offset, place.size_bytes));
  std::vector<OvaDisk> out;
  for (auto const& disk : TRY(ovf_disks(characters(document)))) {
    auto const found = find(contents, disk.file);
    if (!found) return unsafe("has a disk that is not in it: " + shown(disk.file));
    if (disk.size_bytes.value_or(found->size_bytes) != found->size_bytes) {
      return unsafe("has a disk of another size than its descriptor says: " + shown(disk.file));
    }
    if (found->size_bytes == 0) return unsafe("has an empty disk: " + shown(disk.file));
    bool const twice = std::ranges::any_of(
        out, [&](OvaDisk const& other) { return other.offset == found->offset; });
    if (twice) return unsafe("has one file for two disks");
    out.push_back(*found);
  }
  if (out.empty()) return unsafe("has no disk");
  return out;
}

} // namespace vitrine::formats
