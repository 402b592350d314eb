#include "store/metadata/database_id.hpp"

#include "base/ids.hpp"

namespace vitrine::store {

Result<std::string> database_id(Connection& connection) {
  std::string id;
  auto const read = [&](Row const& row) { id = row.string(0); };
  TRY(connection.run(sql::get_database_id, {}, read));
  if (!id.empty()) return id;
  TRY(connection.run(sql::make_database_id, {new_hex_id()})); // or another server does, meanwhile
  TRY(connection.run(sql::get_database_id, {}, read));
  return id;
}

} // namespace vitrine::store
