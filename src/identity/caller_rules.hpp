// What the service makes of the roles that a token names, whoever issued it.
#pragma once

#include "model/caller.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>

namespace vitrine::identity {

struct CallerRules {
  /// Roles that count as another one too: name -> name.
  std::map<std::string, std::string> role_aliases{};
  /// Who administers the service: the policy `context_is_admin`, asked when a caller is first seen
  /// and again once the policy was replaced (`Authenticator::forget_callers`).
  std::function<bool(model::Caller const&)> is_admin{
      [](model::Caller const& caller) { return caller.has_role("admin"); }};

  /// Gives the caller these roles, in lower case, with aliases and what they imply, and says
  /// whether it administers the service.
  void apply(std::span<std::string const> roles, model::Caller& caller) const;
};

} // namespace vitrine::identity
