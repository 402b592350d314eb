#include "store/metadata/roles.hpp"

namespace vitrine::store {
namespace {

constexpr std::string_view kProject = "project";
constexpr std::string_view kDomain = "domain";

std::string_view kind_of(model::Scope const& scope) {
  return scope.kind == model::Scope::Kind::project ? kProject : kDomain;
}

model::Assignment row_to_assignment(Row const& row) {
  return {.user = row.id<UserId>(0),
          .user_name = row.string(1),
          .user_domain = {.id = row.id<DomainId>(2), .name = row.string(3), .description = {}},
          .scope = {.kind = row.text(4) == kProject ? model::Scope::Kind::project
                                                    : model::Scope::Kind::domain,
                    .id = row.string(5)},
          .scope_name = row.string(6),
          .scope_domain = {.id = row.id<DomainId>(7), .name = row.string(8), .description = {}},
          .role = row_to_role(row, 9)};
}

} // namespace

model::Role row_to_role(Row const& row, int first) {
  return {.id = row.id<model::RoleId>(first),
          .name = row.string(first + 1),
          .description = row.string(first + 2)};
}

Result<std::optional<model::Role>> Roles::find(model::RoleId const& id) {
  std::optional<model::Role> found;
  TRY(connection_.run(sql::find_role, {id}, [&](Row const& row) { found = row_to_role(row, 0); }));
  return found;
}

Result<std::optional<model::Role>> Roles::find_named(std::string_view name) {
  std::optional<model::Role> found;
  TRY(connection_.run(sql::find_role_named, {name},
                      [&](Row const& row) { found = row_to_role(row, 0); }));
  return found;
}

Result<std::vector<model::Role>> Roles::list(std::optional<std::string> const& name) {
  std::vector<model::Role> out;
  TRY(connection_.run(sql::list_roles, {name},
                      [&](Row const& row) { out.push_back(row_to_role(row, 0)); }));
  return out;
}

Result<> Roles::insert(model::Role const& role) {
  TRY(connection_.run(sql::insert_role, {role.id, role.name, role.description}));
  return {};
}

Result<> Roles::update(model::Role const& role) {
  TRY(connection_.run(sql::update_role, {role.id, role.name, role.description}));
  return {};
}

Result<> Roles::remove(model::RoleId const& id) {
  TRY(connection_.run(sql::delete_role, {id}));
  TRY(connection_.run(sql::remove_assignments_of_role, {id}));
  TRY(connection_.run(sql::delete_stray_credential_roles, {}));
  return {};
}

Result<std::vector<model::Role>> Roles::held(UserId const& user, model::Scope const& scope) {
  std::vector<model::Role> out;
  TRY(connection_.run(sql::list_roles_held, {user, kind_of(scope), scope.id},
                      [&](Row const& row) { out.push_back(row_to_role(row, 0)); }));
  return out;
}

Result<std::vector<model::Assignment>> Roles::assignments(AssignmentFilter const& filter) {
  std::vector<model::Assignment> out;
  std::optional<std::string_view> kind;
  std::optional<std::string_view> id;
  if (filter.scope) {
    kind = kind_of(*filter.scope);
    id = filter.scope->id;
  }
  TRY(connection_.run(sql::list_assignments, {filter.user, kind, id},
                      [&](Row const& row) { out.push_back(row_to_assignment(row)); }));
  return out;
}

Result<bool> Roles::assign(UserId const& user, model::Scope const& scope,
                           model::RoleId const& role) {
  auto const added =
      TRY(connection_.run(sql::add_assignment, {user, kind_of(scope), scope.id, role}));
  return added > 0;
}

Result<bool> Roles::unassign(UserId const& user, model::Scope const& scope,
                             model::RoleId const& role) {
  auto const removed =
      TRY(connection_.run(sql::remove_assignment, {user, kind_of(scope), scope.id, role}));
  return removed > 0;
}

} // namespace vitrine::store
