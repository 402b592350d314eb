#include "identity/caller_rules.hpp"

#include "base/text.hpp"

#include <utility>

namespace vitrine::identity {

void CallerRules::apply(std::span<std::string const> roles, model::Caller& caller) const {
  auto const add = [&](std::string name) {
    if (!caller.has_role(name)) caller.roles.push_back(std::move(name));
  };
  for (auto const& role : roles) {
    auto name = text::to_lower(role);
    auto const alias = role_aliases.find(name);
    if (alias != role_aliases.end()) add(alias->second);
    add(std::move(name));
  }
  // An alias of admin or member implies what these imply.
  if (caller.has_role("admin")) add("member");
  if (caller.has_role("member")) add("reader");
  caller.is_admin = is_admin(caller);
}

} // namespace vitrine::identity
