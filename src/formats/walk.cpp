#include "formats/walk.hpp"

#include <algorithm>
#include <utility>

namespace vitrine::formats {

void Walk::next(std::uint64_t skip, std::size_t length) {
  CHECK(length > 0 && length <= kWindowBytesMax);
  skip_ = skip;
  length_ = length;
  piece_.clear();
}

Result<> Walk::feed(Bytes chunk) {
  while (!chunk.empty()) {
    bool const over = skip_ > 0;
    auto const wanted = over ? skip_ : length_ - piece_.size();
    auto const bytes =
        chunk.first(static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), wanted)));
    chunk = chunk.subspan(bytes.size());
    position_ += bytes.size();
    if (over) {
      skip_ -= bytes.size();
      TRY(passed(bytes));
      continue;
    }
    piece_.insert(piece_.end(), bytes.begin(), bytes.end());
    if (piece_.size() < length_) continue;
    auto const whole = std::exchange(piece_, {});
    TRY(piece(whole));
  }
  return {};
}

} // namespace vitrine::formats
