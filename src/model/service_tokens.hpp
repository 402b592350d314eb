// The service's own tokens: what it shows to the other services that it works with.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace vitrine::model {

/// Thread-safe; may block on the network.
class ServiceTokens {
public:
  virtual ~ServiceTokens() = default;
  /// A token that should be good. Never to be stored or logged. Error: `identity_unavailable`.
  virtual Result<std::string> token() = 0;
  /// A service does not take this token any more: the next call of `token` gets another.
  virtual void refused(std::string_view token) = 0;
};

} // namespace vitrine::model
