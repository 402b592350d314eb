// What a store of image data leaves in the place where it keeps its bytes, to know it again: an
// unmounted volume or another bucket looks as if all data were lost.
#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vitrine::store {

/// Thread-safe.
class PlaceMark {
public:
  static constexpr std::string_view kName = "vitrine-store"; ///< of the file or object

  virtual ~PlaceMark() = default;
  /// What is written there; nothing where no mark is. Error: `unavailable`.
  virtual Result<std::optional<std::string>> mark() = 0;
  /// Writes it. Errors: `store_full`, `unavailable`.
  virtual Result<> set_mark(std::string_view text) = 0;
};

} // namespace vitrine::store
