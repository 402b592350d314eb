// Who is asking, by the driver that the configuration names: the one place where it is chosen.
#pragma once

#include "api/kit/endpoint.hpp"
#include "app/stores.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "identity/authenticator.hpp"
#include "identity/caller_cache.hpp"
#include "identity/key_lookup.hpp"
#include "model/mandates.hpp"
#include "model/object_store_keys.hpp"
#include "model/project_directory.hpp"
#include "model/service_tokens.hpp"
#include "ops/config.hpp"
#include "ops/metrics.hpp"
#include "service/access.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::identity::builtin {
class Directory;
}

namespace vitrine::app {

/// Built before what asks it. Its parts are thread-safe.
class Identity {
public:
  virtual ~Identity() = default;

  virtual identity::Authenticator& authenticator() noexcept = 0;
  /// Who holds the keys that sign requests.
  virtual identity::KeyLookup& access_keys() noexcept = 0;
  virtual model::ProjectDirectory& projects() noexcept = 0;
  /// What users sign requests to an object store with; null when nobody knows.
  virtual model::ObjectStoreKeys* object_store_keys() noexcept = 0;
  /// What jobs ask other services with.
  virtual model::Mandates& mandates() noexcept = 0;
  /// What the endpoints below /v3 work on; null when Keystone answers for identity.
  virtual identity::builtin::Directory* directory() noexcept = 0;
  /// All endpoints; those below /v3 say where identity is when it is not here.
  [[nodiscard]] virtual std::vector<api::Endpoint>
  served(std::vector<api::Endpoint> endpoints) const = 0;
  /// Of tokens that were checked: from memory (hits) or not (misses).
  [[nodiscard]] virtual identity::CallerCache::Lookups token_lookups() const = 0;

  /// Before the service listens; `demo` asks for the demo accounts too. Errors: `unavailable` or
  /// `invalid_value` with the reason when it cannot serve like this.
  virtual Result<> prepare(std::string const& directory, bool demo) = 0;
  /// Once the service listens at `url`.
  virtual Result<> announce(std::string_view url) = 0;
};

/// All must outlive it.
std::unique_ptr<Identity> make_identity(ops::Config const& config, Stores const& stores,
                                        Clock const& clock, service::Access const& access,
                                        ops::Metrics& metrics);

/// Tokens of the account that `[identity]` names in Keystone, for other services; `clock` must
/// outlive them.
std::unique_ptr<model::ServiceTokens> service_tokens(ops::IdentityConfig const& config,
                                                     Clock const& clock);

/// The file that seals the secrets of access keys; of `directory` when none is configured.
std::string access_key_file(ops::Config const& config, std::string const& directory);

} // namespace vitrine::app
