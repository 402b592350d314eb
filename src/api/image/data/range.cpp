#include "api/image/data/range.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

namespace vitrine::api::image {
namespace {

constexpr std::string_view kUnit = "bytes";

Error unsatisfiable(std::string_view header) {
  return error(Fault::range_unsatisfiable,
               "The range '" + std::string(header) + "' is not one of the data.");
}

// Decimal digits only; a number past the largest possible is as good as that one.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  if (text.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (char const c : text) {
    if (!text::is_digit(c)) return std::nullopt;
    auto const digit = static_cast<std::uint64_t>(c - '0');
    number = number > (kMost - digit) / 10 ? kMost : number * 10 + digit;
  }
  return number;
}

// What follows the unit and `separator`; nothing for another unit.
std::optional<std::string_view> after_unit(std::string_view header, char separator) {
  if (header.size() <= kUnit.size() || header[kUnit.size()] != separator ||
      !text::equals_ignoring_case(header.substr(0, kUnit.size()), kUnit)) {
    return std::nullopt;
  }
  return text::trim(header.substr(kUnit.size() + 1));
}

std::optional<ByteRange> between(std::uint64_t first, std::uint64_t last, std::uint64_t size) {
  if (first > last || first >= size) return std::nullopt;
  return ByteRange{first, std::min(last, size - 1) - first + 1};
}

// `5-9`, `5-` or `-5`.
std::optional<ByteRange> parse_spec(std::string_view spec, std::uint64_t size) {
  auto const dash = spec.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto const first = spec.substr(0, dash);
  auto const last = spec.substr(dash + 1);
  if (first.empty()) {
    auto const length = parse_position(last);
    if (!length || *length == 0 || size == 0) return std::nullopt;
    return ByteRange{size - std::min(*length, size), std::min(*length, size)};
  }
  auto const from = parse_position(first);
  auto const to = last.empty() ? std::optional(size) : parse_position(last);
  if (!from || !to) return std::nullopt;
  return between(*from, *to, size);
}

} // namespace

Result<ByteRange> parse_range(std::string_view header, std::uint64_t size_bytes) {
  auto const spec = after_unit(header, '=');
  if (!spec) return unsatisfiable(header);
  if (spec->find(',') != std::string_view::npos) {
    return error(Fault::invalid_value, "Only one range can be asked for.", "Range");
  }
  auto const range = parse_spec(*spec, size_bytes);
  if (!range) return unsatisfiable(header);
  return *range;
}

Result<ByteRange> parse_content_range(std::string_view header, std::uint64_t size_bytes) {
  auto const spec = after_unit(header, ' ');
  if (!spec) return unsatisfiable(header);
  auto const slash = spec->find('/');
  auto const dash = spec->find('-');
  if (slash == std::string_view::npos || dash == std::string_view::npos || dash > slash) {
    return unsatisfiable(header);
  }
  auto const total = spec->substr(slash + 1);
  auto const first = parse_position(spec->substr(0, dash));
  auto const last = parse_position(spec->substr(dash + 1, slash - dash - 1));
  if (!first || !last || (total != "*" && parse_position(total) != size_bytes)) {
    return unsatisfiable(header);
  }
  auto const range = between(*first, *last, size_bytes);
  if (!range) return unsatisfiable(header);
  return *range;
}

} // namespace vitrine::api::image
