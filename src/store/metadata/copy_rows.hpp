// All rows of a service from one engine into the other: for who outgrows a directory.
#pragma once

#include "store/metadata/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vitrine::store {

struct CopiedTable {
  std::string name;
  std::int64_t rows{0};
};

/// Refuses with `conflict`, naming a table, when a PostgreSQL database holds rows already. Whatever
/// servers write by themselves when they start counts too: no server may have used it.
Result<> check_empty(Database& database);

/// Copies every row of a SQLite database into an empty PostgreSQL database, both of this release's
/// schema; reads each table back and compares it by number of rows and SHA-256; then lets
/// `before_commit` work on the copy. All of it is one transaction: whatever fails or whoever is
/// killed, the database stays empty, and when it is not, all rows are there and proven. Nobody may
/// write to either meanwhile. Errors: `conflict` when the target is not empty or what was read back
/// is not what was copied; those of `before_commit` and of the engines.
Result<std::vector<CopiedTable>> copy_rows(Database& sqlite, Database& postgres,
                                           Database::Work const& before_commit);

} // namespace vitrine::store
