// Domains and projects as rows. All functions run inside a unit of work of `Database`.
#pragma once

#include "model/identity.hpp"
#include "store/metadata/connection.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace vitrine::store {

class Domains {
public:
  explicit Domains(Connection& connection) : connection_(connection) {}

  Result<std::optional<model::Domain>> find(DomainId const& id);
  /// Letter case does not count.
  Result<std::optional<model::Domain>> find_named(std::string_view name);
  Result<std::vector<model::Domain>> list(std::optional<std::string_view> name,
                                          std::optional<bool> enabled);
  /// Enabled domains on which the user holds a role.
  Result<std::vector<model::Domain>> of_user(UserId const& user);
  /// Error: `conflict` when the id or name is taken.
  Result<> insert(model::Domain const& domain);

private:
  Connection& connection_;
};

/// What a listed project or user must match; absent members match all.
struct ListFilter {
  std::optional<std::string> domain;
  std::optional<std::string> name;
  std::optional<bool> enabled;
};

class Projects {
public:
  explicit Projects(Connection& connection) : connection_(connection) {}

  Result<std::optional<model::Project>> find(ProjectId const& id);
  Result<std::optional<model::Project>> find_named(DomainId const& domain, std::string_view name);
  /// By name, then id.
  Result<std::vector<model::Project>> list(ListFilter const& filter);
  /// Projects in which the user holds a role, enabled or not.
  Result<std::vector<model::Project>> of_user(UserId const& user);
  /// Error: `conflict` when the name is taken in the domain.
  Result<> insert(model::Project const& project);
  /// Stores name, description, enabled. Error: `conflict` when the name is taken in the domain.
  Result<> update(model::Project const& project);
  /// Removes the row, the roles held in it, its application credentials and access keys.
  Result<> remove(ProjectId const& id);

private:
  Connection& connection_;
};

} // namespace vitrine::store
