// Domains. There is one, `default`, unless an operator's data brings more.
#pragma once

#include "base/result.hpp"
#include "model/identity.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vitrine::identity::builtin {

struct Core;

/// How a request names something: by id, or when that is empty by name.
struct Reference {
  std::string id;
  std::string name;

  [[nodiscard]] bool empty() const noexcept { return id.empty() && name.empty(); }
  [[nodiscard]] std::string const& text() const noexcept { return id.empty() ? name : id; }
};

/// The one domain of the first start.
inline constexpr char const* kDefaultDomain = "default";

/// Thread-safe.
class Domains {
public:
  explicit Domains(Core& core) : core_(core) {}

  /// Error: `not_found`.
  Result<model::Domain> get(DomainId const& id);
  Result<std::vector<model::Domain>> list(std::optional<std::string> const& name,
                                          std::optional<bool> enabled);
  /// Enabled domains that the user may scope to: the own one, and those on which they hold a role.
  Result<std::vector<model::Domain>> of_user(UserId const& user);

private:
  Core& core_;
};

} // namespace vitrine::identity::builtin
