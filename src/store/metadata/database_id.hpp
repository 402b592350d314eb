// By which a database is known again, wherever its rows are restored or moved to. Runs inside a
// unit of work of `Database`.
#pragma once

#include "store/metadata/connection.hpp"

#include <string>

namespace vitrine::store {

/// 32 hex digits; made when it is first asked for.
Result<std::string> database_id(Connection& connection);

} // namespace vitrine::store
