// Settings of the Keystone driver; the keys of [identity] that it reads.
#pragma once

#include "identity/caller_rules.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace vitrine::identity::keystone {

/// Whom the service logs in as: a user with a password and a project, or, when `credential_id` is
/// set, an application credential.
struct Account {
  std::string username{};
  std::string password{};
  std::string password_file{}; ///< instead of `password`; read at each login
  std::string user_domain{};   ///< name
  std::string project{};       ///< name
  std::string project_domain{};
  std::string credential_id{};
  std::string credential_secret{};
};

struct Options {
  std::string auth_url{}; ///< with /v3, without a slash at the end
  Account account{};
  std::string ca_file{};
  std::chrono::seconds timeout{5}; ///< for one request
  std::int64_t cache_seconds{10};  ///< how long anything that Keystone said is believed
  /// Roles of which a service must hold one for its X-Service-Token to count; lower case.
  std::vector<std::string> service_roles{"service"};
  CallerRules rules{};
};

} // namespace vitrine::identity::keystone
