#include "identity/builtin/domains.hpp"

#include "identity/builtin/core.hpp"
#include "store/metadata/projects.hpp"

namespace vitrine::identity::builtin {

using store::Connection;

Result<model::Domain> Domains::get(DomainId const& id) {
  return core_.read([&](Connection& connection) -> Result<model::Domain> {
    return present(store::Domains(connection).find(id), "domain", id.text);
  });
}

Result<std::vector<model::Domain>> Domains::list(std::optional<std::string> const& name,
                                                 std::optional<bool> enabled) {
  return core_.read([&](Connection& connection) {
    return store::Domains(connection)
        .list(name ? std::optional<std::string_view>(*name) : std::nullopt, enabled);
  });
}

Result<std::vector<model::Domain>> Domains::of_user(UserId const& user) {
  return core_.read(
      [&](Connection& connection) { return store::Domains(connection).of_user(user); });
}

} // namespace vitrine::identity::builtin
