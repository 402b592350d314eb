#include "identity/builtin/core.hpp"

#include "base/text.hpp"
#include "ops/log.hpp"

#include <fmt/format.h>

namespace vitrine::identity::builtin {

Result<std::string> checked_name(std::string_view name, std::size_t characters_max) {
  auto const trimmed = text::trim(name);
  // As Keystone's schema has it: other control characters may be in a name, among them line feeds.
  if (trimmed.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos)
    return error(Fault::invalid_value, "name must not be empty", "name");
  if (!text::is_utf8(trimmed) || trimmed.find('\0') != std::string_view::npos) {
    return error(Fault::invalid_value, "name must be UTF-8 text", "name");
  }
  if (text::length_utf8(trimmed) > characters_max) {
    return error(Fault::invalid_value,
                 fmt::format("name is longer than {} characters", characters_max), "name");
  }
  return std::string(trimmed);
}

bool Core::admit_login(std::string const& key, std::string_view user, std::string_view address,
                       Time now) {
  auto const admission = limiter.admit(key, address, now);
  if (!admission.begins.empty()) {
    ops::log_warning("login.limited",
                     {{"limit", admission.begins}, {"user", user}, {"address", address}});
  }
  return admission.granted;
}

std::string login_key(DomainId const& domain, std::string_view name) {
  return fmt::format("{}\n{}", domain.text, name); // no id of a domain has a line feed
}

Result<> taken(Result<> stored, std::string_view what, std::string_view name) {
  if (stored || stored.error().fault != Fault::conflict) return stored;
  return error(Fault::name_taken, fmt::format("There is a {} named {} already.", what, name),
               "name");
}

model::IdentityChange grant_event(model::AuditKind const& kind, Time now, model::Caller const& by,
                                  UserId const& user, model::Scope const& scope,
                                  model::Role const& role) {
  return {kind,
          now,
          by,
          {.type = model::IdentityTarget::Type::role,
           .id = role.id.text,
           .name = role.name,
           .user = user.text,
           .scope = scope}};
}

} // namespace vitrine::identity::builtin
