// Range and Content-Range headers: the first eight bytes are the size of the data, the rest the
// header.
#include "api/image/data/range.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace {

using namespace vitrine;
using namespace vitrine::api::image;

void check(Result<ByteRange> const& range, std::uint64_t size_bytes) {
  if (range) {
    CHECK(range->length > 0 && range->length <= size_bytes);
    CHECK(range->offset <= size_bytes - range->length);
  } else {
    CHECK(range.error().kind() == Kind::invalid);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::uint64_t size_bytes = 0;
  if (size < sizeof size_bytes) return 0;
  std::memcpy(&size_bytes, data, sizeof size_bytes);
  std::string_view const header(reinterpret_cast<char const*>(data) + sizeof size_bytes,
                                size - sizeof size_bytes);
  check(parse_range(header, size_bytes), size_bytes);
  check(parse_content_range(header, size_bytes), size_bytes);
  return 0;
}
