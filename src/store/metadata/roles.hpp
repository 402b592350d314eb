// Roles, and which user holds which, as rows. All run inside a unit of work of `Database`.
#pragma once

#include "model/identity.hpp"
#include "store/metadata/connection.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace vitrine::store {

/// What a listed assignment must match; absent members match all.
struct AssignmentFilter {
  std::optional<UserId> user;
  std::optional<model::Scope> scope;
};

class Roles {
public:
  explicit Roles(Connection& connection) : connection_(connection) {}

  Result<std::optional<model::Role>> find(model::RoleId const& id);
  /// Letter case does not count.
  Result<std::optional<model::Role>> find_named(std::string_view name);
  /// By name.
  Result<std::vector<model::Role>> list(std::optional<std::string> const& name);
  /// Error: `conflict` when the name is taken.
  Result<> insert(model::Role const& role);
  /// Stores name and description. Error: `conflict` when the name is taken.
  Result<> update(model::Role const& role);
  /// Removes the row and all assignments of it.
  Result<> remove(model::RoleId const& id);

  /// Roles the user was given in a scope, without implied ones; by name.
  Result<std::vector<model::Role>> held(UserId const& user, model::Scope const& scope);
  Result<std::vector<model::Assignment>> assignments(AssignmentFilter const& filter);
  /// False when it is held already.
  Result<bool> assign(UserId const& user, model::Scope const& scope, model::RoleId const& role);
  /// False when it was not held.
  Result<bool> unassign(UserId const& user, model::Scope const& scope, model::RoleId const& role);

private:
  Connection& connection_;
};

/// Reads the columns `role_columns` of sql/identity.sql from `first` on.
model::Role row_to_role(Row const& row, int first);

} // namespace vitrine::store
