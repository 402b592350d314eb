// What an operator does with keys: makes, disables and grants them.
#pragma once

#include "base/result.hpp"
#include "store/keys/key_service.hpp"
#include "store/metadata/database.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::service {

struct KeyRow {
  store::Key key;
  std::vector<std::string> grantees; ///< ids of projects and domains
};

/// Keys are named by id or name. Servers may run meanwhile: they see a change at once. Thread-safe.
/// Every call may fail as the key service and the database do.
class KeyAdmin {
public:
  /// Both must outlive it.
  KeyAdmin(store::KeyService& keys, store::Database& database) : keys_(keys), database_(database) {}

  /// In the order of their creation.
  Result<std::vector<KeyRow>> list();
  /// Errors: `invalid_value` for a name that is none, `name_taken`.
  Result<store::Key> create(std::string_view name);
  /// Errors of this and the following: `not_found` naming the key.
  Result<> set_enabled(std::string_view key, bool enabled);
  /// To a project or a domain, by id. Error: `invalid_value` for the default key of a project,
  /// which is its own.
  Result<> grant(std::string_view key, std::string_view grantee);
  /// Error: `not_found`, also when it was not granted.
  Result<> revoke(std::string_view key, std::string_view grantee);

private:
  Result<store::Key> find(std::string_view key);

  store::KeyService& keys_;
  store::Database& database_;
};

} // namespace vitrine::service
