// The port that knows access keys and whom they stand for. Drivers: builtin/, keystone/.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::identity {

/// An access key's secret, and the caller it stands for: a user in one project.
struct KeyHolder {
  std::string secret;
  model::Caller caller; ///< `request_id` and `address` are empty
};

/// Thread-safe.
class KeyLookup {
public:
  virtual ~KeyLookup() = default;
  /// From memory, null when it is not there.
  [[nodiscard]] virtual std::shared_ptr<KeyHolder const> known(std::string_view key) const = 0;
  /// Asks for the secret alone, so that it costs the same whoever holds the key; nothing when there
  /// is no such key. Error: `identity_unavailable`.
  virtual Result<std::optional<std::string>> secret_of(std::string_view key) = 0;
  /// Whom the key stands for, with the rights that a token of the user for the project would give
  /// now; kept for `known`. Only for a secret that was proven. Errors: `unauthenticated` when such
  /// a token would not be given, `identity_unavailable`.
  virtual Result<std::shared_ptr<KeyHolder const>> holder_of(std::string_view key,
                                                             std::string const& secret) = 0;
};

} // namespace vitrine::identity
