#include "formats/inspector.hpp"

#include <algorithm>
#include <array>

namespace vitrine::formats {
namespace {

// Declared formats whose bytes are the disk, kernel or ramdisk itself.
constexpr std::array<std::string_view, 4> kPlain = {"raw", "ami", "ari", "aki"};

bool is_plain(std::string_view disk_format) {
  return std::ranges::find(kPlain, disk_format) != kPlain.end();
}

std::string describe(Finding const& finding) {
  std::string const name(name_of(finding.format));
  switch (nature_of(finding.format)) {
  case Nature::packed: return name + ", compressed";
  case Nature::archive: return name + ", an archive";
  case Nature::page: return name + ", a document";
  case Nature::plain:
  case Nature::disk: break;
  }
  return name;
}

// Containers that may wrap the disk, so that the bytes tell nothing of the declared disk format.
bool is_wrapped(Format format, std::string_view container_format) {
  bool const archive = nature_of(format) == Nature::archive;
  bool const packed = nature_of(format) == Nature::packed;
  if (container_format == "ova") return format == Format::ova;
  if (container_format == "compressed") return packed;
  return (container_format == "docker" || container_format == "ovf") && (archive || packed);
}

// Containers that promise a wrapping.
bool must_be_wrapped(std::string_view container_format) {
  return container_format == "ova" || container_format == "compressed";
}

// The disk format that the bytes themselves tell; empty when they are no disk.
std::string_view own_format(Format format) {
  switch (nature_of(format)) {
  case Nature::plain: return "raw";
  case Nature::disk: return name_of(format);
  case Nature::archive:
  case Nature::packed:
  case Nature::page: break;
  }
  return {};
}

} // namespace

Result<Accepted> check(Finding const& finding, std::string_view disk_format,
                       std::string_view container_format, Rules const& rules) {
  auto const container = container_format.empty() ? "bare" : container_format;
  auto const declared = "declared " + std::string(disk_format.empty() ? "no format" : disk_format) +
                        " in " + std::string(container) + ", found " + describe(finding);
  if (finding.unsafe) {
    return error(Fault::format_unsafe, declared + ", which " + *finding.unsafe, "disk_format");
  }
  if (is_wrapped(finding.format, container)) {
    if (disk_format.empty()) return error(Fault::format_mismatch, declared, "disk_format");
    return Accepted{std::string(disk_format), std::nullopt};
  }
  if (must_be_wrapped(container)) {
    bool const unordered = container == "ova" && finding.format == Format::tar;
    auto const hint = unordered ? " that does not begin with an OVF descriptor" : "";
    return error(Fault::format_mismatch, declared + hint, "container_format");
  }
  auto const own = own_format(finding.format);
  auto const claimed = disk_format.empty() ? own : disk_format;
  bool const plain = own == "raw" || finding.serves_plain || rules.allow_raw_mismatch;
  if (is_plain(claimed) && plain) {
    return Accepted{std::string(claimed), finding.size_bytes};
  }
  // Of ploop, only the expandable kind has a header.
  if (claimed == "ploop" && own == "raw") {
    return Accepted{std::string(claimed), finding.size_bytes};
  }
  if (!own.empty() && claimed == own) {
    return Accepted{std::string(claimed), finding.virtual_size_bytes};
  }
  return error(Fault::format_mismatch, declared, "disk_format");
}

} // namespace vitrine::formats
