#include "app/identity.hpp"

#include "api/kit/family.hpp"
#include "base/text.hpp"
#include "identity/builtin/bootstrap.hpp"
#include "identity/builtin/directory.hpp"
#include "identity/keystone/keystone.hpp"
#include "identity/keystone/service_login.hpp"
#include "identity/mandates.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>

namespace vitrine::app {
namespace {

// Roles come in any case, and so may their aliases.
std::map<std::string, std::string>
in_lower_case(std::map<std::string, std::string> const& aliases) {
  std::map<std::string, std::string> out;
  for (auto const& [role, other] : aliases)
    out.emplace(text::to_lower(role), text::to_lower(other));
  return out;
}

// `access` must outlive what is made with the rules.
identity::CallerRules rules_of(ops::Config const& config, service::Access const& access) {
  return {.role_aliases = in_lower_case(config.policy.role_aliases),
          .is_admin = [&access](model::Caller const& caller) {
            return access.is_administrator(caller);
          }};
}

identity::builtin::Options builtin_options(ops::Config const& config, std::string const& directory,
                                           identity::CallerRules rules) {
  auto const& from = config.identity;
  identity::builtin::Options to;
  to.token_lifetime_seconds = from.token_lifetime_seconds;
  to.token_cache_seconds = from.token_cache_seconds;
  to.login_limits = {from.login_attempts_max, from.login_window_seconds};
  to.password_cost = {from.password_passes, from.password_memory_kib};
  to.rules = std::move(rules);
  to.access_key_file = access_key_file(config, directory);
  return to;
}

identity::keystone::Options keystone_options(ops::IdentityConfig const& from,
                                             identity::CallerRules rules) {
  identity::keystone::Options to;
  to.auth_url = from.auth_url.ends_with("/v3") ? from.auth_url : from.auth_url + "/v3";
  to.account = {.username = from.username,
                .password = from.password,
                .password_file = from.password_file,
                .user_domain = from.user_domain,
                .project = from.project,
                .project_domain = from.project_domain,
                .credential_id = from.application_credential_id,
                .credential_secret = from.application_credential_secret};
  to.ca_file = from.ca_file;
  to.timeout = std::chrono::seconds(from.timeout_seconds);
  to.cache_seconds = from.token_cache_seconds;
  to.service_roles.clear();
  for (auto const& role : from.service_roles)
    to.service_roles.push_back(text::to_lower(role));
  to.rules = std::move(rules);
  return to;
}

identity::MandateOptions mandate_options(ops::Config const& config, std::string const& directory) {
  return {.key_file = access_key_file(config, directory),
          .compute_endpoint = config.compute.endpoint,
          .volume_endpoint = config.block_storage.endpoint,
          .region = config.identity.region};
}

class Builtin final : public Identity {
public:
  Builtin(ops::Config const& config, Stores const& stores, Clock const& clock,
          identity::CallerRules rules)
      : config_(config), directory_(*stores.database, clock,
                                    builtin_options(config, stores.directory, std::move(rules))),
        mandates_(mandate_options(config, stores.directory), nullptr) {}

  identity::Authenticator& authenticator() noexcept override { return directory_.tokens(); }
  identity::KeyLookup& access_keys() noexcept override { return directory_.access_keys(); }
  model::ProjectDirectory& projects() noexcept override { return directory_.projects(); }
  model::ObjectStoreKeys* object_store_keys() noexcept override { return nullptr; }
  model::Mandates& mandates() noexcept override { return mandates_; }
  identity::builtin::Directory* directory() noexcept override { return &directory_; }
  [[nodiscard]] std::vector<api::Endpoint>
  served(std::vector<api::Endpoint> endpoints) const override {
    return endpoints;
  }
  [[nodiscard]] identity::CallerCache::Lookups token_lookups() const override {
    return directory_.token_lookups();
  }

  Result<> prepare(std::string const& directory, bool demo) override {
    wanted_ = {directory + "/clouds.yaml", demo, config_.identity.region};
    clouds_ = TRY(identity::builtin::bootstrap(directory_, wanted_));
    return {};
  }
  Result<> announce(std::string_view url) override {
    auto const& seen = config_.server.public_endpoint; // by clients, before any proxy
    return identity::builtin::announce(wanted_, clouds_, seen.empty() ? url : seen);
  }

private:
  ops::Config const& config_;
  identity::builtin::Directory directory_;
  identity::SealedMandates mandates_;
  identity::builtin::Bootstrap wanted_;
  std::vector<identity::builtin::Cloud> clouds_;
};

class Keystone final : public Identity {
public:
  Keystone(ops::Config const& config, Stores const& stores, Clock const& clock,
           identity::CallerRules rules, ops::Metrics& metrics)
      : config_(config),
        keystone_(keystone_options(config.identity, std::move(rules)), clock, metrics),
        mandates_(mandate_options(config, stores.directory), &keystone_) {}

  identity::Authenticator& authenticator() noexcept override { return keystone_; }
  identity::KeyLookup& access_keys() noexcept override { return keystone_.access_keys(); }
  model::ProjectDirectory& projects() noexcept override { return keystone_.projects(); }
  model::ObjectStoreKeys* object_store_keys() noexcept override { return &keystone_; }
  model::Mandates& mandates() noexcept override { return mandates_; }
  identity::builtin::Directory* directory() noexcept override { return nullptr; }
  [[nodiscard]] std::vector<api::Endpoint>
  served(std::vector<api::Endpoint> endpoints) const override {
    auto const elsewhere = "Identity is served by the Keystone at " + keystone_.auth_url({}) + ".";
    for (auto& endpoint : endpoints) {
      if (endpoint.spec.family != &api::identity_family) continue;
      endpoint.spec.guard = api::Guard::open;
      endpoint.run = [elsewhere](api::Context&, api::Services&) -> Result<api::Reply> {
        return error(Fault::not_found, elsewhere);
      };
    }
    return endpoints;
  }
  [[nodiscard]] identity::CallerCache::Lookups token_lookups() const override {
    return keystone_.token_lookups();
  }

  Result<> prepare(std::string const& /*directory*/, bool demo) override {
    if (demo) {
      return error(Fault::invalid_value, "--demo makes accounts of the built-in identity; with "
                                         "[identity] driver = keystone they are Keystone's");
    }
    return {};
  }
  // The service runs without Keystone, too, and answers once that does: this only warns.
  Result<> announce(std::string_view /*url*/) override {
    auto const& region = config_.identity.region;
    auto const endpoint = keystone_.endpoint_of("image", region);
    if (endpoint && !*endpoint) {
      ops::log_warning("identity.not_in_catalog", {{"type", "image"}, {"region", region}});
    }
    return {};
  }

private:
  ops::Config const& config_;
  identity::keystone::Keystone keystone_;
  identity::SealedMandates mandates_;
};

/// A login with what it works with.
class ServiceAccount final : public model::ServiceTokens {
public:
  ServiceAccount(identity::keystone::Options options, Clock const& clock)
      : options_(std::move(options)), client_({.ca_file = options_.ca_file,
                                               .connect_timeout = options_.timeout,
                                               .total_timeout = options_.timeout}),
        login_(options_, clock, client_) {}

  Result<std::string> token() override { return login_.token(); }
  void refused(std::string_view token) override { login_.refused(token); }

private:
  identity::keystone::Options const options_;
  net::client::Client client_;
  identity::keystone::ServiceLogin login_;
};

} // namespace

std::unique_ptr<model::ServiceTokens> service_tokens(ops::IdentityConfig const& config,
                                                     Clock const& clock) {
  return std::make_unique<ServiceAccount>(keystone_options(config, {}), clock);
}

std::unique_ptr<Identity> make_identity(ops::Config const& config, Stores const& stores,
                                        Clock const& clock, service::Access const& access,
                                        ops::Metrics& metrics) {
  auto rules = rules_of(config, access);
  if (config.identity.driver == ops::IdentityDriver::keystone) {
    return std::make_unique<Keystone>(config, stores, clock, std::move(rules), metrics);
  }
  return std::make_unique<Builtin>(config, stores, clock, std::move(rules));
}

std::string access_key_file(ops::Config const& config, std::string const& directory) {
  auto const& file = config.identity.access_key_file;
  return file.empty() ? directory + "/access-keys.key" : file;
}

} // namespace vitrine::app
