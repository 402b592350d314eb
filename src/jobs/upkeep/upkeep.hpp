// Removes what nobody needs any more: old jobs, bytes without an image,
// signatures that are out of date.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/blobs/blobs.hpp"
#include "store/metadata/database.hpp"

#include <cstdint>
#include <string_view>

namespace vitrine::jobs {

/// Removes jobs that ended more than `retention_days` ago, a bounded number in one transaction.
/// Returns how many. Errors: those of the database.
Result<std::int64_t> remove_old_jobs(store::Database& database, Clock const& clock,
                                     std::int64_t retention_days);

/// Removes the bytes of blobs that no image refers to, of the store with that key. A blob is given
/// up first, and forgotten only when the store has said that its bytes are gone: those that it
/// could not remove stay known. Returns how many went. Errors: those of the database and the store;
/// what is left is taken next time, and what failed after the others.
Result<std::int64_t> remove_unused_blobs(store::Database& database, store::Blobs& store,
                                         std::string_view key, Clock const& clock);

/// Removes signatures of writes whose time is over, a bounded number in one transaction. Returns
/// how many. Errors: those of the database.
Result<std::int64_t> forget_used_signatures(store::Database& database, Clock const& clock);

} // namespace vitrine::jobs
