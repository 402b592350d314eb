#include "service/key_admin.hpp"

#include "service/encryption.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/key_grants.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace vitrine::service {
namespace {

constexpr std::array<std::string_view, 1> kState{"enabled"}; // as events of users name it

model::IdentityTarget target_of(store::Key const& key, model::Scope const& grantee) {
  return {.type = model::IdentityTarget::Type::data_key,
          .id = key.id,
          .name = key.name,
          .scope = grantee};
}

Result<> record(store::Connection& connection, model::AuditKind const& kind,
                model::IdentityTarget const& target, Change const& change) {
  return store::Audit(connection)
      .record(model::IdentityChange{kind, change.time, change.by, target});
}

} // namespace

Result<store::Key> KeyAdmin::find(std::string_view key) {
  auto const keys = TRY(keys_.list());
  auto const at = std::ranges::find_if(
      keys, [&](store::Key const& each) { return each.id == key || each.name == key; });
  if (at != keys.end()) return *at;
  // A key that belongs to somebody else, but may be used, is in no list.
  auto const state = TRY(keys_.state(key));
  if (state == store::KeyState::missing) {
    return error(Fault::not_found, fmt::format("no key: {}", key));
  }
  return store::Key{.id = std::string(key), .name = "", .state = state, .created_at = {}};
}

Result<std::vector<KeyRow>> KeyAdmin::list() {
  auto const keys = TRY(keys_.list());
  auto const grants = TRY(database_.read_single(
      [](store::Connection& connection) { return store::KeyGrants(connection).all(); }));
  std::vector<KeyRow> rows;
  for (auto const& key : keys) {
    auto& row = rows.emplace_back(key);
    for (auto const& grant : grants) {
      if (grant.key == key.id) row.grantees.push_back(grant.grantee);
    }
  }
  return rows;
}

Result<store::Key> KeyAdmin::create(std::string_view name, Change const& change) {
  auto key = TRY(keys_.create(name));
  TRY(tell(key, model::audit::data_key_create, change));
  return key;
}

Result<> KeyAdmin::set_enabled(std::string_view key, bool enabled, Change const& change) {
  auto const found = TRY(find(key));
  TRY(keys_.set_enabled(found.id, enabled));
  if (enabled == (found.state == store::KeyState::enabled)) return {};
  return tell(found, model::audit::data_key_update, change);
}

Result<> KeyAdmin::grant(std::string_view key, model::Scope const& grantee, Change const& change) {
  if (grantee.id.empty()) return error(Fault::invalid_value, "the name of the grantee is empty");
  auto const found = TRY(find(key));
  if (found.name.starts_with(kDefaultKey)) {
    return error(Fault::invalid_value, "the default key of a project is for that project alone");
  }
  return database_.write([&](store::Connection& connection) -> Result<> {
    if (!TRY(store::KeyGrants(connection).grant(found.id, grantee.id))) return {};
    return record(connection, model::audit::key_grant_create, target_of(found, grantee), change);
  });
}

Result<> KeyAdmin::revoke(std::string_view key, model::Scope const& grantee, Change const& change) {
  auto const found = TRY(find(key));
  return database_.write([&](store::Connection& connection) -> Result<> {
    if (!TRY(store::KeyGrants(connection).revoke(found.id, grantee.id))) {
      return error(Fault::not_found, fmt::format("{} is not granted to {}", key, grantee.id));
    }
    return record(connection, model::audit::key_grant_delete, target_of(found, grantee), change);
  });
}

/// Of a key that is changed by now, whatever becomes of this.
Result<> KeyAdmin::tell(store::Key const& key, model::AuditKind const& kind, Change const& change) {
  bool const is_new = kind.type == model::audit::data_key_create.type;
  auto target = target_of(key, {});
  if (!is_new) target.changed = kState;
  auto const told = database_.write(
      [&](store::Connection& connection) { return record(connection, kind, target, change); });
  if (told) return {};
  return error(told.error().fault,
               fmt::format("key {} was {}, but the audit trail could not be told of it", key.id,
                           is_new ? "made" : "changed"));
}

} // namespace vitrine::service
