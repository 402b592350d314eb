// Which bytes a `Range` header asks for (RFC 9110 section 14; contract: glance-v2 3.7). Pure.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string_view>

namespace vitrine::api::image {

/// Bytes inside the data: offset + length <= its size, length > 0.
struct ByteRange {
  std::uint64_t offset{0};
  std::uint64_t length{0};

  bool operator==(ByteRange const&) const = default;
};

/// Reads `bytes=5-9`, `bytes=5-` and `bytes=-5` (the last five); an end past the data is cut.
/// Errors: `range_unsatisfiable` for another unit, a malformed or reversed range and one that
/// begins past the data; `invalid_value` for several ranges.
Result<ByteRange> parse_range(std::string_view header, std::uint64_t size_bytes);

/// Reads `bytes 5-9/1024` or `bytes 5-9/*`, as some clients send it in a request's Content-Range.
/// Errors as above; a total other than the size is unsatisfiable.
Result<ByteRange> parse_content_range(std::string_view header, std::uint64_t size_bytes);

} // namespace vitrine::api::image
