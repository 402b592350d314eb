// What an operator does with keys: makes, disables and grants them.
#pragma once

#include "base/result.hpp"
#include "model/audit.hpp"
#include "model/identity.hpp"
#include "service/change.hpp"
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

/// Keys are named by id or name. Servers may run meanwhile: they see a change at once. The audit
/// trail tells of each: of a grant within its transaction; of a key, which is elsewhere, once that
/// is changed. Thread-safe. Every call may fail as the key service and the database do.
class KeyAdmin {
public:
  /// Both must outlive it.
  KeyAdmin(store::KeyService& keys, store::Database& database) : keys_(keys), database_(database) {}

  /// In the order of their creation.
  Result<std::vector<KeyRow>> list();
  /// Errors: `invalid_value` for a name that is none, `name_taken`.
  Result<store::Key> create(std::string_view name, Change const& change);
  /// Errors of this and the following: `not_found` naming the key.
  Result<> set_enabled(std::string_view key, bool enabled, Change const& change);
  /// To a project or a domain. Error: `invalid_value` for the default key of a project, which is
  /// its own.
  Result<> grant(std::string_view key, model::Scope const& grantee, Change const& change);
  /// Error: `not_found`, also when it was not granted.
  Result<> revoke(std::string_view key, model::Scope const& grantee, Change const& change);

private:
  Result<store::Key> find(std::string_view key);
  Result<> tell(store::Key const& key, model::AuditKind const& kind, Change const& change);

  store::KeyService& keys_;
  store::Database& database_;
};

} // namespace vitrine::service
