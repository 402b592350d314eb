#include "service/key_admin.hpp"

#include "service/encryption.hpp"
#include "store/metadata/key_grants.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::service {

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

Result<store::Key> KeyAdmin::create(std::string_view name) { return keys_.create(name); }

Result<> KeyAdmin::set_enabled(std::string_view key, bool enabled) {
  auto const found = TRY(find(key));
  return keys_.set_enabled(found.id, enabled);
}

Result<> KeyAdmin::grant(std::string_view key, std::string_view grantee) {
  if (grantee.empty()) return error(Fault::invalid_value, "the name of the grantee is empty");
  auto const found = TRY(find(key));
  if (found.name.starts_with(kDefaultKey)) {
    return error(Fault::invalid_value, "the default key of a project is for that project alone");
  }
  return database_.write([&](store::Connection& connection) {
    return store::KeyGrants(connection).grant(found.id, grantee);
  });
}

Result<> KeyAdmin::revoke(std::string_view key, std::string_view grantee) {
  auto const found = TRY(find(key));
  auto const revoked = TRY(database_.write([&](store::Connection& connection) {
    return store::KeyGrants(connection).revoke(found.id, grantee);
  }));
  if (revoked) return {};
  return error(Fault::not_found, fmt::format("{} is not granted to {}", key, grantee));
}

} // namespace vitrine::service
