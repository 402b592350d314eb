// Brings the schema of a PostgreSQL database up to date.
//
// A migration either expands the schema (the release before works on with it) or contracts it (its
// name starts with `contract_`: only releases that know it do). Servers expand at start; an
// operator contracts with `vitrine db upgrade --contract` once no older server runs.
#pragma once

#include "base/result.hpp"
#include "store/metadata/postgres/postgres_connection.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vitrine::store::postgres {

enum class Upgrade : std::uint8_t { expand, contract };

/// Applies what is missing, all or nothing, and returns the names; of processes that come together
/// one does it and the others wait. Errors: `unavailable` with the reason, also when a newer
/// release has contracted the schema.
Result<std::vector<std::string>> upgrade(ConnectionOptions const& options, Upgrade how);

} // namespace vitrine::store::postgres
