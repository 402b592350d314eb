// Settings of the built-in identity; the keys of [identity] and what other parts of the service
// decide.
#pragma once

#include "identity/builtin/passwords.hpp"
#include "identity/caller_rules.hpp"
#include "identity/login_limiter.hpp"

#include <cstdint>
#include <string>

namespace vitrine::identity::builtin {

struct Options {
  std::int64_t token_lifetime_seconds{3600};
  std::int64_t token_cache_seconds{10};
  LoginLimiter::Limits login_limits{};
  Passwords::Cost password_cost{};
  CallerRules rules{};
  std::string access_key_file{}; ///< what seals the secrets of access keys; made when needed
};

} // namespace vitrine::identity::builtin
