// Settings of the built-in identity; the keys of [identity] and what other parts of the service
// decide.
#pragma once

#include "identity/builtin/login_limiter.hpp"
#include "identity/builtin/passwords.hpp"
#include "model/caller.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace vitrine::identity::builtin {

struct Options {
  std::int64_t token_lifetime_seconds{3600};
  std::int64_t token_cache_seconds{10};
  LoginLimiter::Limits login_limits{};
  Passwords::Cost password_cost{};
  /// Roles that count as another one too: name -> name.
  std::map<std::string, std::string> role_aliases{};
  /// Who administers the service: the policy `context_is_admin`, asked when a caller is first seen.
  std::function<bool(model::Caller const&)> is_admin{
      [](model::Caller const& caller) { return caller.has_role("admin"); }};
};

} // namespace vitrine::identity::builtin
