// Terms: what an image can be found by, as 64-bit hashes for the table `image_terms`.
#pragma once

#include "model/image.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace vitrine::store {

/// Whose list a term belongs to: images of one owner, or images of one open visibility.
struct TermScope {
  enum class By : char { owner = 'o', visibility = 'v' };
  By by;
  std::string_view value;
  bool hidden;
};

/// Stable for ever: stored. Equal hashes of different terms are possible; who lists by a term
/// compares the image.
std::int64_t property_term(TermScope const& scope, std::string_view name, std::string_view value);
std::int64_t tag_term(TermScope const& scope, std::string_view tag);

/// Every term of an image, sorted, each once.
std::vector<std::int64_t> terms_of(model::Image const& image);

} // namespace vitrine::store
