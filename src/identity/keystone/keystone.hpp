// Keystone answers who is asking. Nothing is stored here: what Keystone said is believed for a few
// seconds, and while it does not answer, neither do requests with a token that is not known.
#pragma once

#include "identity/authenticator.hpp"
#include "identity/keystone/access_keys.hpp"
#include "identity/keystone/calls.hpp"
#include "identity/keystone/checks.hpp"
#include "identity/keystone/options.hpp"
#include "identity/keystone/projects.hpp"
#include "model/object_store_keys.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::identity::keystone {

using PublicUrls = std::map<std::string, std::string, std::less<>>; ///< by type of service

/// Thread-safe.
class Keystone final : public Authenticator, public model::ObjectStoreKeys {
public:
  /// Asks nothing yet. Clock and metrics must outlive it.
  Keystone(Options options, Clock const& clock, ops::Metrics& metrics);

  /// An expired token is good when a service comes along with a token of its own, one of
  /// `service_roles`, and Keystone still vouches for the expired one (its `allow_expired_window`).
  /// A service token that is no good is refused, whatever the other.
  Result<std::shared_ptr<model::Caller const>> caller_of(Shown const& shown) override;
  std::shared_ptr<model::Caller const> known_caller(Shown const& shown) override;
  void forget_callers() noexcept override;
  [[nodiscard]] std::string auth_url(std::string_view base_url) const override;
  [[nodiscard]] bool waits() const noexcept override { return true; }

  model::ProjectDirectory& projects() noexcept { return projects_; }
  Result<std::optional<model::ObjectStoreKey>>
  object_store_key_of(UserId const& user, ProjectId const& project) override;
  KeyLookup& access_keys() noexcept { return access_keys_; }
  /// The public URL of a service in the catalog of the service's user; nothing when it is not
  /// there. Error: `identity_unavailable`.
  Result<std::optional<std::string>> endpoint_of(std::string_view type, std::string_view region);

  /// The public URLs of a region in the catalog that comes with a token. Errors: `unauthenticated`,
  /// `identity_unavailable`.
  Result<PublicUrls> catalog_of(std::string_view token, std::string_view region);
  /// A new token of a user for a project, by their EC2 credential; nothing when they have none.
  /// Errors as above.
  Result<std::optional<std::string>> token_of(UserId const& user, ProjectId const& project);
  /// The token of this service. Error: `identity_unavailable`.
  Result<std::string> service_token() { return calls_.token(); }

  [[nodiscard]] CallerCache::Lookups token_lookups() const { return checks_.lookups(); }

private:
  Result<Checked> ask(std::string_view token, std::string_view question);
  [[nodiscard]] bool is_service(model::Caller const& caller) const;

  Options const options_;
  Clock const& clock_;
  Calls calls_;
  Checks checks_;
  Projects projects_;
  AccessKeys access_keys_;
};

} // namespace vitrine::identity::keystone
