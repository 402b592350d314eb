// What a job needs to ask other services in the name of the caller who handed it in.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"

#include <string>
#include <string_view>

namespace vitrine::model {

/// Given when a job is handed in, and kept with it.
struct Mandate {
  std::string secret;  ///< a token of the caller, sealed
  std::string compute; ///< base URL of the compute service; empty when there is none
  std::string volumes; ///< base URL of the block storage for the caller's project; may be empty
};

/// The tokens of one call. Never to be logged or stored as they are.
struct CallTokens {
  std::string caller;
  std::string service; ///< vouches for that of the caller when it expired; empty when there is none
};

/// Thread-safe; may block on the network.
class Mandates {
public:
  virtual ~Mandates() = default;
  /// `token` is what the caller's request showed, empty when it was signed instead. Errors:
  /// `not_offered` when there is no token that other services would take, `identity_unavailable`,
  /// `unavailable`.
  virtual Result<Mandate> give(Caller const& caller, std::string_view token) = 0;
  /// Errors: `unavailable` when the secret cannot be opened here, `identity_unavailable`.
  virtual Result<CallTokens> open(Caller const& caller, std::string_view secret) = 0;
};

} // namespace vitrine::model
