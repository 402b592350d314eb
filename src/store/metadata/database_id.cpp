#include "store/metadata/database_id.hpp"

namespace vitrine::store {

Result<std::string> database_id(Connection& connection) {
  std::string id;
  TRY(connection.run(sql::get_database_id, {}, [&](Row const& row) { id = row.string(0); }));
  return id;
}

Result<std::string> make_database_id(Connection& connection, std::string_view id) {
  TRY(connection.run(sql::make_database_id, {id})); // or another server has done so
  return database_id(connection);
}

} // namespace vitrine::store
