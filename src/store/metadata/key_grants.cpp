#include "store/metadata/key_grants.hpp"

namespace vitrine::store {

Result<bool> KeyGrants::is_granted(std::string_view key, ProjectId const& project,
                                   DomainId const& domain) {
  bool granted = false;
  TRY(connection_.run(sql::is_key_granted, {key, project, domain},
                      [&](Row const&) { granted = true; }));
  return granted;
}

Result<bool> KeyGrants::grant(std::string_view key, std::string_view grantee) {
  return TRY(connection_.run(sql::grant_key, {key, grantee})) > 0;
}

Result<bool> KeyGrants::revoke(std::string_view key, std::string_view grantee) {
  return TRY(connection_.run(sql::revoke_key, {key, grantee})) > 0;
}

Result<std::vector<KeyGrant>> KeyGrants::all() {
  std::vector<KeyGrant> out;
  TRY(connection_.run(sql::list_key_grants, {},
                      [&](Row const& row) { out.push_back({row.string(0), row.string(1)}); }));
  return out;
}

} // namespace vitrine::store
