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

/// Why a place that may be new is not to be taken: it has the mark of another database. Writes
/// nothing. Errors as above.
Result<std::optional<std::string>> why_of_another(store::Database& database,
                                                  store::PlaceMark& place);

} // namespace vitrine::service
