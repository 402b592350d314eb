// Documents: what a bad download saves instead of an image.
#include "base/text.hpp"
#include "formats/probe.hpp"

namespace vitrine::formats {
namespace {

// The first bytes after a byte order mark and blanks, enough to tell the kind of document.
std::string opening(Bytes head) {
  auto text = characters(head);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  auto const first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? "" : text::to_lower(text.substr(first, 16));
}

Probe page(Format format, bool (*begins)(Bytes head)) {
  return {.format = format, .begins = begins, .inspect = [](Source&) -> Result<VirtualSize> {
            return VirtualSize{};
          }};
}

} // namespace

Probe html_probe() {
  return page(Format::html, [](Bytes head) {
    auto const text = opening(head);
    return text.starts_with("<!doctype html") || text.starts_with("<html");
  });
}

Probe xml_probe() {
  return page(Format::xml, [](Bytes head) { return opening(head).starts_with("<?xml"); });
}

} // namespace vitrine::formats
