#include "store/metadata/users.hpp"

#include "store/metadata/roles.hpp"

namespace vitrine::store {
namespace {

model::User row_to_user(Row const& row) {
  return {.id = row.id<UserId>(0),
          .domain = row.id<DomainId>(1),
          .name = row.string(2),
          .description = row.string(3),
          .email = row.string(4),
          .default_project = row.id<ProjectId>(5),
          .enabled = row.flag(6),
          .created_at = row.time(7)};
}

model::ApplicationCredential row_to_credential(Row const& row) {
  return {.id = row.id<model::CredentialId>(0),
          .user = row.id<UserId>(1),
          .project = row.id<ProjectId>(2),
          .name = row.string(3),
          .description = row.string(4),
          .roles = {},
          .expires_at = row.maybe_time(5),
          .unrestricted = row.flag(6)};
}

} // namespace

Result<std::optional<model::User>> Users::find(UserId const& id) {
  std::optional<model::User> found;
  TRY(connection_.run(sql::find_user, {id}, [&](Row const& row) { found = row_to_user(row); }));
  return found;
}

Result<std::optional<model::User>> Users::find_named(DomainId const& domain,
                                                     std::string_view name) {
  std::optional<model::User> found;
  TRY(connection_.run(sql::find_user_named, {domain, name},
                      [&](Row const& row) { found = row_to_user(row); }));
  return found;
}

Result<std::optional<std::string>> Users::password_hash(UserId const& id) {
  std::optional<std::string> hash;
  TRY(connection_.run(sql::get_password_hash, {id},
                      [&](Row const& row) { hash = row.maybe_string(0); }));
  return hash;
}

Result<std::vector<model::User>> Users::list(ListFilter const& filter) {
  std::vector<model::User> out;
  TRY(connection_.run(sql::list_users, {filter.domain, filter.name, filter.enabled},
                      [&](Row const& row) { out.push_back(row_to_user(row)); }));
  return out;
}

Result<> Users::insert(model::User const& user, std::optional<std::string> const& password_hash) {
  TRY(connection_.run(sql::insert_user,
                      {user.id, user.domain, user.name, user.description, user.email,
                       user.default_project, user.enabled, password_hash, user.created_at}));
  return {};
}

Result<> Users::update(model::User const& user) {
  TRY(connection_.run(sql::update_user, {user.id, user.name, user.description, user.email,
                                         user.default_project, user.enabled}));
  return {};
}

Result<> Users::set_password_hash(UserId const& id, std::optional<std::string> const& hash) {
  TRY(connection_.run(sql::set_password_hash, {id, hash}));
  return {};
}

Result<> Users::remove(UserId const& id) {
  TRY(connection_.run(sql::delete_user, {id}));
  TRY(connection_.run(sql::remove_assignments_of_user, {id}));
  TRY(connection_.run(sql::delete_credentials_of_user, {id}));
  TRY(connection_.run(sql::delete_access_keys_of_user, {id}));
  TRY(connection_.run(sql::delete_stray_credential_roles, {}));
  return {};
}

Result<> ApplicationCredentials::fill_roles(model::ApplicationCredential& credential) {
  TRY(connection_.run(sql::list_credential_roles, {credential.id},
                      [&](Row const& row) { credential.roles.push_back(row_to_role(row, 0)); }));
  return {};
}

Result<std::optional<model::ApplicationCredential>>
ApplicationCredentials::find(model::CredentialId const& id) {
  std::optional<model::ApplicationCredential> found;
  TRY(connection_.run(sql::find_credential, {id},
                      [&](Row const& row) { found = row_to_credential(row); }));
  if (found) TRY(fill_roles(*found));
  return found;
}

Result<std::optional<model::ApplicationCredential>>
ApplicationCredentials::find_named(UserId const& user, std::string_view name) {
  std::optional<model::ApplicationCredential> found;
  TRY(connection_.run(sql::find_credential_named, {user, name},
                      [&](Row const& row) { found = row_to_credential(row); }));
  if (found) TRY(fill_roles(*found));
  return found;
}

Result<std::optional<std::string>>
ApplicationCredentials::secret_hash(model::CredentialId const& id) {
  std::optional<std::string> hash;
  TRY(connection_.run(sql::get_secret_hash, {id},
                      [&](Row const& row) { hash = row.maybe_string(0); }));
  return hash;
}

Result<std::vector<model::ApplicationCredential>>
ApplicationCredentials::list(UserId const& user, std::optional<std::string> const& name) {
  std::vector<model::ApplicationCredential> out;
  TRY(connection_.run(sql::list_credentials, {user, name},
                      [&](Row const& row) { out.push_back(row_to_credential(row)); }));
  for (auto& credential : out)
    TRY(fill_roles(credential));
  return out;
}

Result<> ApplicationCredentials::insert(model::ApplicationCredential const& credential,
                                        std::string_view secret_hash) {
  TRY(connection_.run(sql::insert_credential, {credential.id, credential.user, credential.project,
                                               credential.name, credential.description, secret_hash,
                                               credential.expires_at, credential.unrestricted}));
  for (auto const& role : credential.roles) {
    TRY(connection_.run(sql::insert_credential_role, {credential.id, role.id}));
  }
  return {};
}

Result<> ApplicationCredentials::remove(model::CredentialId const& id) {
  TRY(connection_.run(sql::delete_credential, {id}));
  TRY(connection_.run(sql::delete_stray_credential_roles, {}));
  return {};
}

Result<> ApplicationCredentials::remove_all(UserId const& user, ProjectId const& project) {
  TRY(connection_.run(sql::delete_credentials_of_user_for_project, {user, project}));
  TRY(connection_.run(sql::delete_stray_credential_roles, {}));
  return {};
}

} // namespace vitrine::store
