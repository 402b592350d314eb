#include "identity/builtin/roles.hpp"

#include "base/text.hpp"
#include "identity/builtin/core.hpp"
#include "store/metadata/roles.hpp"
#include "store/metadata/tokens.hpp"
#include "store/metadata/users.hpp"

#include <algorithm>

namespace vitrine::identity::builtin {
namespace {

using store::Connection;

constexpr std::size_t kNameCharacters = 255;

constexpr BuiltinRole kRoles[] = {
    {"admin", "Administers the whole service."},
    {"member", "Uses and changes what a project owns."},
    {"reader", "Sees what a project owns."},
    {"service", "Another service acting for itself."},
};

std::string_view implied_by(std::string_view role) {
  if (text::equals_ignoring_case(role, "admin")) return "member";
  if (text::equals_ignoring_case(role, "member")) return "reader";
  return {};
}

bool is_builtin(std::string_view name) {
  return std::ranges::any_of(
      kRoles, [&](auto const& role) { return text::equals_ignoring_case(role.name, name); });
}

Result<> require_scope(Connection& connection, UserId const& user, model::Scope const& scope) {
  TRY(present(store::Users(connection).find(user), "user", user.text));
  if (scope.kind == model::Scope::Kind::project) {
    TRY(present(store::Projects(connection).find({scope.id}), "project", scope.id));
  } else {
    TRY(present(store::Domains(connection).find({scope.id}), "domain", scope.id));
  }
  return {};
}

model::IdentityTarget target_of(model::Role const& role,
                                std::span<std::string_view const> changed = {}) {
  return {.type = model::IdentityTarget::Type::role,
          .id = role.id.text,
          .name = role.name,
          .changed = changed};
}

} // namespace

std::span<BuiltinRole const> builtin_roles() { return kRoles; }

Result<std::vector<model::Role>> with_implied(Connection& connection,
                                              std::vector<model::Role> roles) {
  store::Roles rows(connection);
  for (std::size_t i = 0; i < roles.size(); ++i) {
    auto const implied = implied_by(roles[i].name);
    if (implied.empty()) continue;
    bool const there = std::ranges::any_of(
        roles, [&](auto const& role) { return text::equals_ignoring_case(role.name, implied); });
    if (there) continue;
    if (auto found = TRY(rows.find_named(implied))) roles.push_back(std::move(*found));
  }
  std::ranges::sort(roles, {}, &model::Role::name);
  return roles;
}

Result<model::Role> Roles::get(model::RoleId const& id) {
  return core_.read([&](Connection& connection) -> Result<model::Role> {
    return present(store::Roles(connection).find(id), "role", id.text);
  });
}

Result<model::Role> Roles::find(std::string const& id_or_name) {
  return core_.read([&](Connection& connection) -> Result<model::Role> {
    store::Roles roles(connection);
    if (auto found = TRY(roles.find({id_or_name}))) return std::move(*found);
    return present(roles.find_named(id_or_name), "role", id_or_name);
  });
}

Result<std::vector<model::Role>> Roles::list(std::optional<std::string> const& name) {
  return core_.read([&](Connection& connection) { return store::Roles(connection).list(name); });
}

Result<model::Role> Roles::create(std::string const& name, std::string const& description,
                                  model::Caller const& by) {
  auto checked = TRY(checked_name(name, kNameCharacters));
  model::Role const role{
      .id = {new_hex_id()}, .name = std::move(checked), .description = description};
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<model::Role> {
    TRY(taken(store::Roles(connection).insert(role), "role", role.name));
    model::IdentityChange const event{model::audit::role_create, now, by, target_of(role)};
    TRY(store::Audit(connection).record(event));
    return role;
  });
}

Result<model::Role> Roles::change(model::RoleId const& id, std::optional<std::string> const& name,
                                  std::optional<std::string> const& description,
                                  model::Caller const& by) {
  std::optional<std::string> new_name;
  if (name) new_name = TRY(checked_name(*name, kNameCharacters));
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<model::Role> {
    store::Roles roles(connection);
    auto role = TRY(present(roles.find(id), "role", id.text));
    if (new_name && *new_name != role.name && is_builtin(role.name)) {
      return error(Fault::forbidden, "A built-in role cannot be renamed.");
    }
    Changes changes;
    changes.set("name", role.name, new_name);
    changes.set("description", role.description, description);
    if (changes.names().empty()) return role;
    TRY(taken(roles.update(role), "role", role.name));
    model::IdentityChange const event{model::audit::role_update, now, by,
                                      target_of(role, changes.names())};
    TRY(store::Audit(connection).record(event));
    return role;
  });
}

Result<> Roles::remove(model::RoleId const& id, model::Caller const& by) {
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    store::Roles roles(connection);
    auto const role = TRY(present(roles.find(id), "role", id.text));
    if (is_builtin(role.name)) {
      return error(Fault::forbidden, "A built-in role cannot be removed.");
    }
    TRY(roles.remove(id));
    model::IdentityChange const event{model::audit::role_delete, now, by, target_of(role)};
    return store::Audit(connection).record(event);
  });
}

Result<std::vector<model::Role>> Roles::held(UserId const& user, model::Scope const& scope) {
  return core_.read([&](Connection& connection) -> Result<std::vector<model::Role>> {
    TRY(require_scope(connection, user, scope));
    return store::Roles(connection).held(user, scope);
  });
}

Result<std::vector<model::Assignment>> Roles::assignments(AssignmentQuery const& query) {
  return core_.read([&](Connection& connection) -> Result<std::vector<model::Assignment>> {
    auto given =
        TRY(store::Roles(connection).assignments({.user = query.user, .scope = query.scope}));
    std::vector<model::Assignment> out;
    for (auto& assignment : given) {
      auto roles = query.effective ? TRY(with_implied(connection, {assignment.role}))
                                   : std::vector{assignment.role};
      for (auto& role : roles) {
        auto one = assignment;
        one.role = std::move(role);
        bool const there = std::ranges::any_of(out, [&](auto const& other) {
          return other.user == one.user && other.scope == one.scope && other.role.id == one.role.id;
        });
        if (!there && (!query.role || *query.role == one.role.id)) out.push_back(std::move(one));
      }
    }
    return out;
  });
}

Result<> Roles::grant(UserId const& user, model::Scope const& scope, model::RoleId const& role,
                      model::Caller const& by) {
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    store::Roles roles(connection);
    TRY(require_scope(connection, user, scope));
    auto const given = TRY(present(roles.find(role), "role", role.text));
    if (!TRY(roles.assign(user, scope, role))) return {};
    return store::Audit(connection)
        .record(grant_event(model::audit::grant_create, now, by, user, scope, given));
  });
}

Result<> Roles::revoke(UserId const& user, model::Scope const& scope, model::RoleId const& role,
                       model::Caller const& by) {
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    store::Roles roles(connection);
    TRY(require_scope(connection, user, scope));
    auto const taken_away = TRY(present(roles.find(role), "role", role.text));
    if (!TRY(roles.unassign(user, scope, role))) {
      return error(Fault::not_found, "Could not find role assignment: " + role.text + ".");
    }
    if (scope.kind == model::Scope::Kind::project) { // as Keystone does
      TRY(store::ApplicationCredentials(connection).remove_all(user, {scope.id}));
    }
    TRY(store::Tokens(connection).void_all(user, scope.id, now, kTokenLifetimeMaxUs));
    return store::Audit(connection)
        .record(grant_event(model::audit::grant_delete, now, by, user, scope, taken_away));
  });
}

} // namespace vitrine::identity::builtin
