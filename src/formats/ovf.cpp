#include "formats/ovf.hpp"

#include "base/text.hpp"
#include "formats/source.hpp"
#include "formats/xml_reader.hpp"

#include <algorithm>

namespace vitrine::formats {
namespace {

constexpr std::size_t kDisksMax = 256; // a virtual machine has a handful

struct File {
  std::string id;
  std::string href;
  std::optional<std::uint64_t> size_bytes;
  bool whole; ///< as it is, in one piece
};

struct Disk {
  std::string id;
  std::string file;
  bool has_parent;
};

struct Descriptor {
  std::vector<File> files;
  std::vector<Disk> disks;
  std::vector<std::string> drives; ///< ids of disks
  int machines{0};
};

Result<std::optional<std::uint64_t>> size_in(std::string_view text) {
  if (text.empty()) return std::optional<std::uint64_t>();
  auto const size = text::parse_int(text);
  if (!size || *size < 0) return unsafe("has a descriptor with a size that is no number");
  return std::optional(static_cast<std::uint64_t>(*size));
}

// "ovf:/disk/id", also without the scheme; other resources are no disks.
void note_drive(std::string_view resource, Descriptor& out) {
  constexpr std::string_view kDisk = "/disk/";
  auto const trimmed = text::trim(resource);
  auto const at = trimmed.starts_with("ovf:") ? std::size_t{4} : 0;
  if (!trimmed.substr(at).starts_with(kDisk)) return;
  out.drives.emplace_back(trimmed.substr(at + kDisk.size()));
}

Result<> note_element(XmlReader const& xml, std::string_view parent, Descriptor& out) {
  auto const of = [&](std::string_view name) { return std::string(xml.attribute(name)); };
  if (xml.name() == "VirtualSystem") ++out.machines;
  if (parent == "References" && xml.name() == "File") {
    auto const packing = xml.attribute("compression");
    auto const size = TRY(size_in(xml.attribute("size")));
    bool const whole =
        (packing.empty() || packing == "identity") && xml.attribute("chunkSize").empty();
    out.files.push_back({of("id"), of("href"), size, whole});
  }
  if (parent == "DiskSection" && xml.name() == "Disk") {
    out.disks.push_back({of("diskId"), of("fileRef"), !xml.attribute("parentRef").empty()});
  }
  return {};
}

Result<Descriptor> read(std::string_view document) {
  Descriptor out;
  XmlReader xml(document);
  std::vector<std::string_view> open; // names of the elements around
  std::string resource;
  for (;;) {
    auto const token = TRY(xml.next());
    if (token == XmlReader::Token::done) return out;
    if (token == XmlReader::Token::begin) {
      if (open.empty() && xml.name() != "Envelope") {
        return unsafe("has a descriptor that is no OVF envelope");
      }
      TRY(note_element(xml, open.empty() ? "" : open.back(), out));
      open.push_back(xml.name());
      resource.clear();
    } else if (token == XmlReader::Token::text) {
      if (open.back() == "HostResource") resource += xml.text();
    } else {
      if (open.back() == "HostResource") note_drive(resource, out);
      open.pop_back();
    }
  }
}

template <class T>
bool has_twins(std::vector<T> const& all, std::string T::* id) {
  std::vector<std::string_view> ids;
  for (auto const& each : all)
    ids.push_back(each.*id);
  std::ranges::sort(ids);
  return std::ranges::adjacent_find(ids) != ids.end();
}

// Disks in the order of the drives, then the others.
Result<std::vector<Disk>> in_order(Descriptor const& descriptor) {
  std::vector<Disk> out;
  auto rest = descriptor.disks;
  for (auto const& drive : descriptor.drives) {
    auto const at = std::ranges::find(rest, drive, &Disk::id);
    if (at == rest.end()) return unsafe("has a descriptor with a drive whose disk is not there");
    out.push_back(std::move(*at));
    rest.erase(at);
  }
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

} // namespace

Result<std::vector<OvfDisk>> ovf_disks(std::string_view document) {
  auto const descriptor = TRY(read(document));
  if (descriptor.machines > 1) return unsafe("describes several virtual machines");
  if (std::max(descriptor.disks.size(), descriptor.drives.size()) > kDisksMax) {
    return unsafe("describes too many disks");
  }
  std::vector<Disk> disks;
  for (auto& disk : TRY(in_order(descriptor))) {
    if (!disk.file.empty()) disks.push_back(std::move(disk));
  }
  if (has_twins(descriptor.files, &File::id) || has_twins(descriptor.disks, &Disk::id) ||
      has_twins(disks, &Disk::file)) {
    return unsafe("has a descriptor that names a file or a disk twice");
  }
  std::vector<OvfDisk> out;
  for (auto const& disk : disks) {
    auto const file = std::ranges::find(descriptor.files, disk.file, &File::id);
    if (file == descriptor.files.end()) {
      return unsafe("has a descriptor with a disk whose file is not there");
    }
    if (disk.has_parent) return unsafe("has a disk that builds on another");
    if (!file->whole) return unsafe("has a disk that is packed, or in pieces");
    out.push_back({file->href, file->size_bytes});
  }
  if (has_twins(out, &OvfDisk::file)) return unsafe("has one file for two disks");
  return out;
}

} // namespace vitrine::formats
