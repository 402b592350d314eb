// Users and their application credentials as rows. All run inside a unit of work of `Database`.
#pragma once

#include "store/metadata/projects.hpp"

#include <string>

namespace vitrine::store {

class Users {
public:
  explicit Users(Connection& connection) : connection_(connection) {}

  Result<std::optional<model::User>> find(UserId const& id);
  Result<std::optional<model::User>> find_named(DomainId const& domain, std::string_view name);
  /// Nothing when there is no such user or the user has no password.
  Result<std::optional<std::string>> password_hash(UserId const& id);
  /// By name, then id.
  Result<std::vector<model::User>> list(ListFilter const& filter);
  /// Error: `conflict` when the name is taken in the domain.
  Result<> insert(model::User const& user, std::optional<std::string> const& password_hash);
  /// Stores all but id, domain and time of creation. Error: `conflict` when the name is taken.
  Result<> update(model::User const& user);
  Result<> set_password_hash(UserId const& id, std::optional<std::string> const& hash);
  /// Removes the row, the user's roles, application credentials and access keys.
  Result<> remove(UserId const& id);

private:
  Connection& connection_;
};

class ApplicationCredentials {
public:
  explicit ApplicationCredentials(Connection& connection) : connection_(connection) {}

  Result<std::optional<model::ApplicationCredential>> find(model::CredentialId const& id);
  Result<std::optional<model::ApplicationCredential>> find_named(UserId const& user,
                                                                 std::string_view name);
  Result<std::optional<std::string>> secret_hash(model::CredentialId const& id);
  /// By name.
  Result<std::vector<model::ApplicationCredential>> list(UserId const& user,
                                                         std::optional<std::string> const& name);
  /// Error: `conflict` when the user has one of that name.
  Result<> insert(model::ApplicationCredential const& credential, std::string_view secret_hash);
  Result<> remove(model::CredentialId const& id);
  /// Removes those of the user for the project.
  Result<> remove_all(UserId const& user, ProjectId const& project);

private:
  Result<> fill_roles(model::ApplicationCredential& credential);

  Connection& connection_;
};

} // namespace vitrine::store
