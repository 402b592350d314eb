// Access keys as rows. All run inside a unit of work of `Database`.
#pragma once

#include "model/identity.hpp"
#include "store/metadata/connection.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {

/// The secrets are kept sealed: what seals them is not in the database.
class AccessKeys {
public:
  explicit AccessKeys(Connection& connection) : connection_(connection) {}

  Result<std::optional<model::AccessKey>> find(std::string_view id);
  Result<std::optional<std::string>> sealed_secret(std::string_view id);
  /// That of any key; nothing while there is none.
  Result<std::optional<std::string>> any_sealed_secret();
  /// Of a user, or of all; the oldest first.
  Result<std::vector<model::AccessKey>> list(std::optional<UserId> const& user);
  Result<> insert(model::AccessKey const& key, std::string_view sealed_secret);
  Result<> remove(std::string_view id);

private:
  Connection& connection_;
};

} // namespace vitrine::store
