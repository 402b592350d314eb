// Who may use which key. Runs inside a unit of work of `Database`.
#pragma once

#include "store/metadata/connection.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {

struct KeyGrant {
  std::string key;
  std::string grantee; ///< id of a project or of a domain
};

class KeyGrants {
public:
  explicit KeyGrants(Connection& connection) : connection_(connection) {}

  /// True when the key was granted to the project or to its domain. `domain` is that domain, where
  /// the caller knows it; the database knows it of the projects of the built-in identity.
  Result<bool> is_granted(std::string_view key, ProjectId const& project,
                          DomainId const& domain = {});
  /// False when it is granted already.
  Result<bool> grant(std::string_view key, std::string_view grantee);
  /// False when it was not granted.
  Result<bool> revoke(std::string_view key, std::string_view grantee);
  /// By key and grantee.
  Result<std::vector<KeyGrant>> all();

private:
  Connection& connection_;
};

} // namespace vitrine::store
