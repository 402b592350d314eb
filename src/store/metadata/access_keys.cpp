#include "store/metadata/access_keys.hpp"

namespace vitrine::store {
namespace {

model::AccessKey row_to_access_key(Row const& row) {
  return {.id = row.string(0),
          .user = row.id<UserId>(1),
          .project = row.id<ProjectId>(2),
          .description = row.string(3),
          .created_at = row.time(4)};
}

} // namespace

Result<std::optional<model::AccessKey>> AccessKeys::find(std::string_view id) {
  std::optional<model::AccessKey> found;
  TRY(connection_.run(sql::find_access_key, {id},
                      [&](Row const& row) { found = row_to_access_key(row); }));
  return found;
}

Result<std::optional<std::string>> AccessKeys::sealed_secret(std::string_view id) {
  std::optional<std::string> sealed;
  TRY(connection_.run(sql::get_sealed_secret, {id},
                      [&](Row const& row) { sealed = row.string(0); }));
  return sealed;
}

Result<std::optional<std::string>> AccessKeys::any_sealed_secret() {
  std::optional<std::string> sealed;
  TRY(connection_.run(sql::get_any_sealed_secret, {},
                      [&](Row const& row) { sealed = row.string(0); }));
  return sealed;
}

Result<std::vector<model::AccessKey>> AccessKeys::list(std::optional<UserId> const& user) {
  std::vector<model::AccessKey> out;
  TRY(connection_.run(sql::list_access_keys, {user},
                      [&](Row const& row) { out.push_back(row_to_access_key(row)); }));
  return out;
}

Result<> AccessKeys::insert(model::AccessKey const& key, std::string_view sealed_secret) {
  TRY(connection_.run(sql::insert_access_key, {key.id, key.user, key.project, key.description,
                                               sealed_secret, key.created_at}));
  return {};
}

Result<> AccessKeys::remove(std::string_view id) {
  TRY(connection_.run(sql::delete_access_key, {id}));
  return {};
}

} // namespace vitrine::store
