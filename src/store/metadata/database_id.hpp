// By which a database is known again, wherever its rows are restored or moved to. Runs inside a
// unit of work of `Database`.
#pragma once

#include "store/metadata/connection.hpp"

#include <string>
#include <string_view>

namespace vitrine::store {

/// 32 hex digits; empty as long as the database has none.
Result<std::string> database_id(Connection& connection);
/// The same; `id` from now on when there is none.
Result<std::string> make_database_id(Connection& connection, std::string_view id);

} // namespace vitrine::store
