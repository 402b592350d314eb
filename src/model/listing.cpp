#include "model/listing.hpp"

#include <algorithm>

namespace vitrine::model {

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
