#include "identity/builtin/users.hpp"

#include "identity/builtin/core.hpp"
#include "store/metadata/roles.hpp"
#include "store/metadata/tokens.hpp"
#include "store/metadata/users.hpp"

namespace vitrine::identity::builtin {
namespace {

using store::Connection;

constexpr std::size_t kNameCharacters = 255;
constexpr std::size_t kPasswordBytes = 4096;

Result<std::string> hash_of(Core& core, std::string_view password) {
  if (password.empty() || password.size() > kPasswordBytes) {
    return error(Fault::invalid_value, "password must have 1 to 4096 bytes", "password");
  }
  return core.passwords.hash(password);
}

Result<> void_tokens(Connection& connection, UserId const& user, Time now) {
  return store::Tokens(connection).void_all(user, "", now, kTokenLifetimeMaxUs);
}

model::IdentityTarget target_of(model::User const& user,
                                std::span<std::string_view const> changed = {}) {
  return {.type = model::IdentityTarget::Type::user,
          .id = user.id.text,
          .name = user.name,
          .changed = changed};
}

Result<> give(Connection& connection, Grant const& grant, model::User const& user, Time now,
              model::Caller const& by) {
  store::Roles roles(connection);
  auto const role = TRY(present(roles.find(grant.role), "role", grant.role.text));
  TRY(roles.assign(user.id, grant.scope, grant.role));
  return store::Audit(connection)
      .record(grant_event(model::audit::grant_create, now, by, user.id, grant.scope, role));
}

struct UserToInsert {
  model::User user;
  std::optional<std::string> password_hash;
  std::span<Grant const> grants;
};

Result<> insert(Connection& connection, UserToInsert const& wanted, model::Caller const& by) {
  auto const& user = wanted.user;
  auto const now = user.created_at;
  if (!TRY(store::Domains(connection).find(user.domain))) {
    return error(Fault::invalid_value, "There is no such domain.", "domain_id");
  }
  TRY(taken(store::Users(connection).insert(user, wanted.password_hash), "user", user.name));
  model::IdentityChange const event{model::audit::user_create, now, by, target_of(user)};
  TRY(store::Audit(connection).record(event));
  for (auto const& grant : wanted.grants)
    TRY(give(connection, grant, user, now, by));
  return {};
}

} // namespace

Result<model::User> Users::get(UserId const& id) {
  return core_.read([&](Connection& connection) -> Result<model::User> {
    return present(store::Users(connection).find(id), "user", id.text);
  });
}

Result<model::User> Users::find(std::string const& id_or_name) {
  return core_.read([&](Connection& connection) -> Result<model::User> {
    store::Users users(connection);
    if (auto found = TRY(users.find({id_or_name}))) return std::move(*found);
    return present(users.find_named({kDefaultDomain}, id_or_name), "user", id_or_name);
  });
}

Result<std::vector<model::User>> Users::list(Filter const& filter) {
  return core_.read([&](Connection& connection) {
    return store::Users(connection)
        .list({.domain = filter.domain, .name = filter.name, .enabled = filter.enabled});
  });
}

Result<bool> Users::has_password(std::string const& name, std::string_view password) {
  using Hash = std::optional<std::string>;
  auto const look = [&](Connection& connection) -> Result<Hash> {
    store::Users users(connection);
    auto const user = TRY(users.find_named({kDefaultDomain}, name));
    return user ? users.password_hash(user->id) : Hash();
  };
  auto const stored = TRY(core_.read(look));
  return core_.passwords.verify(stored, password);
}

Result<model::User> Users::create(NewUser const& wanted, model::Caller const& by) {
  auto made = TRY(create_all({wanted}, by));
  return std::move(made.front());
}

Result<std::vector<model::User>> Users::create_all(std::vector<NewUser> const& wanted,
                                                   model::Caller const& by) {
  auto const now = core_.clock.now();
  std::vector<UserToInsert> to_insert;
  for (auto const& each : wanted) {
    auto name = TRY(checked_name(each.name, kNameCharacters));
    std::optional<std::string> hash;
    if (each.password) hash = TRY(hash_of(core_, *each.password));
    to_insert.push_back({.user = {.id = {new_hex_id()},
                                  .domain = each.domain,
                                  .name = std::move(name),
                                  .description = each.description,
                                  .email = each.email,
                                  .default_project = each.default_project,
                                  .enabled = each.enabled,
                                  .created_at = now},
                         .password_hash = std::move(hash),
                         .grants = each.grants});
  }
  return core_.write([&](Connection& connection) -> Result<std::vector<model::User>> {
    std::vector<model::User> made;
    for (auto const& each : to_insert) {
      TRY(insert(connection, each, by));
      made.push_back(each.user);
    }
    return made;
  });
}

Result<model::User> Users::change(UserId const& id, UserChange const& change,
                                  model::Caller const& by) {
  std::optional<std::string> name;
  std::optional<std::string> hash;
  if (change.name) name = TRY(checked_name(*change.name, kNameCharacters));
  if (change.password) hash = TRY(hash_of(core_, *change.password));
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<model::User> {
    store::Users users(connection);
    auto user = TRY(present(users.find(id), "user", id.text));
    bool const was_enabled = user.enabled;
    Changes changes;
    changes.set("name", user.name, name);
    changes.set("description", user.description, change.description);
    changes.set("email", user.email, change.email);
    changes.set("default_project_id", user.default_project, change.default_project);
    changes.set("enabled", user.enabled, change.enabled);
    if (hash) changes.note("password");
    if (changes.names().empty()) return user;
    TRY(taken(users.update(user), "user", user.name));
    if (hash) TRY(users.set_password_hash(id, hash));
    if (hash || (was_enabled && !user.enabled)) TRY(void_tokens(connection, id, now));
    model::IdentityChange const event{model::audit::user_update, now, by,
                                      target_of(user, changes.names())};
    TRY(store::Audit(connection).record(event));
    return user;
  });
}

Result<> Users::change_password(UserId const& id, std::string_view original,
                                std::string_view wanted, model::Caller const& by) {
  std::optional<std::string> stored;
  auto const look = [&](Connection& connection) -> Result<model::User> {
    store::Users users(connection);
    stored = TRY(users.password_hash(id));
    auto user = TRY(users.find(id));
    if (!user) return error(Fault::unauthenticated);
    return std::move(*user);
  };
  auto const user = TRY(core_.read(look));
  auto const key = login_key(user.domain, user.name);
  if (!core_.admit_login(key, user.name, by.address, core_.clock.now()))
    return error(Fault::unauthenticated);
  if (!core_.passwords.verify(stored, original)) return error(Fault::unauthenticated);
  core_.limiter.forgive(key, by.address);
  auto const hash = TRY(hash_of(core_, wanted));
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    store::Users users(connection);
    // Somebody may have set another password meanwhile; then the original proves nothing any more.
    if (TRY(users.password_hash(id)) != stored) return error(Fault::unauthenticated);
    TRY(users.set_password_hash(id, hash));
    TRY(void_tokens(connection, id, now));
    static constexpr std::string_view changed[] = {"password"};
    model::IdentityChange const event{model::audit::user_update, now, by, target_of(user, changed)};
    return store::Audit(connection).record(event);
  });
}

Result<> Users::remove(UserId const& id, model::Caller const& by) {
  auto const now = core_.clock.now();
  return core_.write([&](Connection& connection) -> Result<> {
    store::Users users(connection);
    auto const user = TRY(present(users.find(id), "user", id.text));
    TRY(users.remove(id));
    TRY(void_tokens(connection, id, now));
    model::IdentityChange const event{model::audit::user_delete, now, by, target_of(user)};
    return store::Audit(connection).record(event);
  });
}

} // namespace vitrine::identity::builtin
