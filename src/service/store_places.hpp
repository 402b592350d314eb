// Whether the place of a store of image data is the one that the rows tell of
// (docs/decisions/0037-whose-place.md).
#pragma once

#include "base/result.hpp"
#include "store/blobs/blobs.hpp"
#include "store/blobs/place_mark.hpp"
#include "store/metadata/database.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vitrine::service {

/// Why it is not; nothing when it is, and then the place has the mark of the database, too. `blobs`
/// are those of the store with that key, as the store itself calls them. Errors: those of the
/// database and the store: it cannot be known now.
Result<std::optional<std::string>> why_misplaced(store::Database& database, store::Blobs& blobs,
                                                 store::PlaceMark& place, std::string_view key);

} // namespace vitrine::service
