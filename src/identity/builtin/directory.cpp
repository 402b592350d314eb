#include "identity/builtin/directory.hpp"

#include "identity/builtin/core.hpp"
#include "store/metadata/roles.hpp"
#include "store/metadata/tokens.hpp"
#include "store/metadata/users.hpp"

namespace vitrine::identity::builtin {

using store::Connection;

Directory::Directory(store::Database& database, Clock const& clock, Options options)
    : core_(std::make_unique<Core>(database, clock, std::move(options))), domains_(*core_),
      projects_(*core_), users_(*core_), roles_(*core_), application_credentials_(*core_),
      access_keys_(*core_), tokens_(*core_) {}

Directory::~Directory() = default;

Result<> Directory::prepare() {
  auto const now = core_->clock.now();
  auto const secret = new_signing_secret();
  return core_->write([&](Connection& connection) -> Result<> {
    store::Domains domains(connection);
    if (!TRY(domains.find({kDefaultDomain}))) {
      TRY(domains.insert({.id = {kDefaultDomain},
                          .name = "Default",
                          .description = "The default domain.",
                          .enabled = true}));
    }
    store::Roles roles(connection);
    for (auto const& role : builtin_roles()) {
      if (TRY(roles.find_named(role.name))) continue;
      TRY(roles.insert({.id = {new_hex_id()},
                        .name = std::string(role.name),
                        .description = std::string(role.description)}));
    }
    store::SigningKeys keys(connection);
    if (!TRY(keys.newest())) TRY(keys.rotate(secret, now, Time{}));
    return {};
  });
}

std::uint64_t Directory::password_checks() const noexcept {
  return core_->passwords.verifications();
}

CallerCache::Lookups Directory::token_lookups() const { return core_->cache.lookups(); }

} // namespace vitrine::identity::builtin
