#include "model/object_url.hpp"

#include "base/ids.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::model {
namespace {

constexpr std::size_t kObjectBytesMax = 1024; // contract: error codes, IMG.0074

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// U+0080..U+009F, the control characters beyond ASCII, are C2 80..C2 9F in UTF-8.
bool holds_late_control(std::string_view text) {
  for (auto at = text.find('\xC2'); at < text.size() - 1; at = text.find('\xC2', at + 1)) {
    if (static_cast<unsigned char>(text[at + 1]) < 0xA0) return true;
  }
  return false;
}

// An object store tells `a//b` and `a/` from `a/b` and `a`. These no store is sure to see as they
// are: clients, proxies and gateways take `.` and `..` out of a path, which then names another
// object or another bucket, and a path that begins with two slashes for one that names a host.
bool is_safe(std::string_view object) {
  auto const is_step = [](std::string_view part) { return part == "." || part == ".."; };
  return !object.starts_with('/') && std::ranges::none_of(text::split(object, '/'), is_step);
}

} // namespace

Result<ObjectUrl> parse_object_url(std::string_view text, std::string_view field) {
  auto const refused = [field](Fault fault, std::string_view rule) {
    return error(fault, fmt::format("{} {}", field, rule), std::string(field));
  };
  auto const colon = text.find(':');
  if (colon == std::string_view::npos) {
    return refused(Fault::object_url_form, "must be bucket:object.");
  }
  auto const bucket = text.substr(0, colon);
  auto const object = text.substr(colon + 1);
  if (bucket.empty()) return refused(Fault::bucket_name_empty, "names no bucket.");
  if (!is_bucket_name(bucket)) {
    return refused(Fault::bucket_name_invalid,
                   "must name a bucket of 3 to 63 of a-z 0-9 . - that begins and ends with a "
                   "letter or digit.");
  }
  if (object.empty()) return refused(Fault::object_name_empty, "names no object.");
  if (object.size() > kObjectBytesMax) {
    return refused(Fault::object_name_too_long, "must name an object of at most 1024 bytes.");
  }
  if (std::ranges::any_of(object, is_control) || !text::is_utf8(object) ||
      holds_late_control(object)) {
    return refused(Fault::object_name_invalid, "names an object with a control character.");
  }
  if (object.front() == ' ' || object.back() == ' ') {
    return refused(Fault::object_name_invalid, "names an object that begins or ends with a space.");
  }
  if (!is_safe(object)) {
    return refused(Fault::object_name_invalid,
                   "names an object that begins with a slash or has a part '.' or '..'.");
  }
  return ObjectUrl{std::string(bucket), std::string(object)};
}

} // namespace vitrine::model
