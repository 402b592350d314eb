// Access keys: what signs requests for a user within one project, with all their roles there.
#pragma once

#include "base/result.hpp"
#include "identity/key_lookup.hpp"
#include "model/caller.hpp"
#include "model/identity.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::identity::builtin {

struct Core;

struct CreatedAccessKey {
  model::AccessKey key;
  std::string secret; ///< shown this once
};

/// Thread-safe. Changes leave audit events, as those of Users do. Keys go with their user or
/// project.
class AccessKeys final : public KeyLookup {
public:
  explicit AccessKeys(Core& core) : core_(core) {}

  /// Error: `not_found`, also for one of another user.
  Result<model::AccessKey> get(UserId const& user, std::string_view id);
  /// Of the user, or of all; the oldest first.
  Result<std::vector<model::AccessKey>> list(std::optional<UserId> const& user);
  /// Errors: `not_found` for user or project, `invalid_value` when the user holds no role in the
  /// project, `too_large` when they have 20 keys, `unavailable` when the secret cannot be sealed.
  Result<CreatedAccessKey> create(UserId const& user, ProjectId const& project,
                                  std::string const& description, model::Caller const& by = {});
  /// It signs nothing any more. Error: `not_found`, also for one of another user.
  Result<> remove(UserId const& user, std::string_view id, model::Caller const& by = {});
  /// As above, whosever it is.
  Result<> remove(std::string_view id, model::Caller const& by = {});

  [[nodiscard]] std::shared_ptr<KeyHolder const> known(std::string_view key) const override;
  Result<std::optional<std::string>> secret_of(std::string_view key) override;
  Result<std::shared_ptr<KeyHolder const>> holder_of(std::string_view key,
                                                     std::string const& secret) override;

private:
  Core& core_;
};

} // namespace vitrine::identity::builtin
