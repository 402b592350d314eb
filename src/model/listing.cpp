#include "model/listing.hpp"

#include <algorithm>

namespace vitrine::model {
namespace {

constexpr std::int64_t kBriefRows = 100;

} // namespace

bool ImageListing::has_filters() const noexcept {
  return !conditions.empty() || !properties.empty() || !tags.empty() || !standards.empty() ||
         sharing;
}

bool ImageListing::is_brief() const noexcept {
  return limit <= kBriefRows && !has_filters() && sort.front().column == ImageColumn::created_at;
}

void complete_order(std::vector<SortKey>& sort, bool descending) {
  // Behind the id nothing decides any more.
  for (auto const column : {ImageColumn::created_at, ImageColumn::id}) {
    bool const there = std::ranges::any_of(sort, [&](SortKey const& key) {
      return key.column == column || key.column == ImageColumn::id;
    });
    if (!there) sort.push_back({column, descending});
  }
}

} // namespace vitrine::model
