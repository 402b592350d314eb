// Roles and grants: what users may do where.
#pragma once

#include "base/result.hpp"
#include "identity/builtin/domains.hpp"
#include "model/caller.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {
class Connection;
}

namespace vitrine::identity::builtin {

/// The roles of the first start, with what they are for. Policies name them, so they cannot be
/// removed or renamed. Each of admin, member, reader implies the one after it.
struct BuiltinRole {
  std::string_view name;
  std::string_view description;
};
std::span<BuiltinRole const> builtin_roles();

/// The roles with all that they imply, each once, by name.
Result<std::vector<model::Role>> with_implied(store::Connection& connection,
                                              std::vector<model::Role> roles);

struct AssignmentQuery {
  std::optional<UserId> user{};
  std::optional<model::Scope> scope{};
  std::optional<model::RoleId> role{};
  bool effective{false}; ///< implied roles too
};

/// Thread-safe. Changes leave audit events, as those of Users do.
class Roles {
public:
  explicit Roles(Core& core) : core_(core) {}

  /// Error: `not_found`.
  Result<model::Role> get(model::RoleId const& id);
  /// By id or name. Error: `not_found`.
  Result<model::Role> find(std::string const& id_or_name);
  Result<std::vector<model::Role>> list(std::optional<std::string> const& name);
  /// Errors: `invalid_value` (name), `name_taken`.
  Result<model::Role> create(std::string const& name, std::string const& description,
                             model::Caller const& by = {});
  /// Errors: `not_found`, `forbidden` for the name of a built-in role, `invalid_value`,
  /// `name_taken`.
  Result<model::Role> change(model::RoleId const& id, std::optional<std::string> const& name,
                             std::optional<std::string> const& description,
                             model::Caller const& by = {});
  /// Errors: `not_found`, `forbidden` for a built-in role.
  Result<> remove(model::RoleId const& id, model::Caller const& by = {});

  /// Roles given to the user in the scope, without implied ones. Error: `not_found` for user or
  /// scope.
  Result<std::vector<model::Role>> held(UserId const& user, model::Scope const& scope);
  Result<std::vector<model::Assignment>> assignments(AssignmentQuery const& query);
  /// Does nothing when it is given already. Error: `not_found` for user, scope or role.
  Result<> grant(UserId const& user, model::Scope const& scope, model::RoleId const& role,
                 model::Caller const& by = {});
  /// Voids the user's tokens for the scope, and removes their application credentials for it: they
  /// lent what the user no longer holds, and must not come back with a new grant. Error:
  /// `not_found` for user, scope, role or grant.
  Result<> revoke(UserId const& user, model::Scope const& scope, model::RoleId const& role,
                  model::Caller const& by = {});

private:
  Core& core_;
};

} // namespace vitrine::identity::builtin
