// Who is asking, and the services that are asked.
#include "ops/config_key_parts.hpp"

namespace vitrine::ops {

std::vector<Key> compute_keys() {
  return {
      {"compute",
       "driver",
       CHOICE(compute, driver),
       "Where images are made from servers. nova: OpenStack Nova, asked with the token of the "
       "caller, which is kept sealed (identity.access_key_file) until the job ends; none: nowhere.",
       0,
       0,
       {"none", "nova"}},
      {"compute",
       "endpoint",
       SLOT(compute, endpoint),
       "Base URL of the compute API, such as https://nova.example.org:8774/v2.1. Empty: the public "
       "one of the catalog, in identity.region.",
       0,
       0,
       {},
       check_endpoint},
      {"compute", "require_stopped", SLOT(compute, require_stopped),
       "Refuse to make an image of a server that is not stopped."},
      input_file("compute", "ca_file", SLOT(compute, ca_file),
                 "PEM file with the certificates to believe for an https endpoint. Empty: those of "
                 "the system."),
      {"compute", "timeout_seconds", SLOT(compute, timeout_seconds),
       "How long one request may take.", 1, 300},
      {"compute", "wait_seconds", SLOT(compute, wait_seconds),
       "How long a job waits for other services to make an image, before it fails.", 1, 604'800},
  };
}

std::vector<Key> block_storage_keys() {
  return {
      {"block_storage",
       "driver",
       CHOICE(block_storage, driver),
       "Where images are made from volumes, also those that servers start from. cinder: OpenStack "
       "Cinder, asked as compute.driver says; none: nowhere.",
       0,
       0,
       {"none", "cinder"}},
      {"block_storage",
       "endpoint",
       SLOT(block_storage, endpoint),
       "Base URL of the block storage API without a project, such as "
       "https://cinder.example.org:8776/v3. Empty: that of the catalog, public, in "
       "identity.region.",
       0,
       0,
       {},
       check_endpoint},
      {"block_storage",
       "backup",
       CHOICE(block_storage, backup),
       "Where images of whole servers are made. cinder: with the backups of Cinder; none: nowhere.",
       0,
       0,
       {"none", "cinder"}},
      input_file("block_storage", "ca_file", SLOT(block_storage, ca_file),
                 "PEM file with the certificates to believe for an https endpoint. Empty: those of "
                 "the system."),
      {"block_storage", "timeout_seconds", SLOT(block_storage, timeout_seconds),
       "How long one request may take.", 1, 300},
  };
}

std::vector<Key> keystone_keys() {
  return {
      {"identity",
       "driver",
       CHOICE(identity, driver),
       "builtin: users and tokens of this service, at /v3; keystone: those of a Keystone. The keys "
       "up to service_roles are for Keystone, those after region for the built-in identity, "
       "token_cache_seconds and the login limits for both.",
       0,
       0,
       {"builtin", "keystone"}},
      {"identity",
       "auth_url",
       SLOT(identity, auth_url),
       "Where Keystone is, such as https://keystone.example.org:5000; with or without /v3.",
       0,
       0,
       {},
       check_endpoint},
      {"identity", "username", SLOT(identity, username),
       "User that asks Keystone about tokens and projects; needs the roles service and, for the "
       "latter, admin."},
      {"identity", "password", SLOT(identity, password), "Password of the user."},
      input_file("identity", "password_file", SLOT(identity, password_file),
                 "File with the password instead, read at each login: it may change while the "
                 "service runs."),
      {"identity", "user_domain", SLOT(identity, user_domain), "Domain of the user, by name."},
      {"identity", "project", SLOT(identity, project),
       "Project in which the user has its roles, by name."},
      {"identity", "project_domain", SLOT(identity, project_domain),
       "Domain of the project, by name."},
      {"identity", "application_credential_id", SLOT(identity, application_credential_id),
       "Application credential to log in with instead of a user."},
      {"identity", "application_credential_secret", SLOT(identity, application_credential_secret),
       "Secret of the application credential."},
      input_file("identity", "ca_file", SLOT(identity, ca_file),
                 "PEM file with the certificates to believe for an https auth_url. Empty: those of "
                 "the system."),
      {"identity", "timeout_seconds", SLOT(identity, timeout_seconds),
       "How long one request to Keystone may take; then the client is answered 503.", 1, 60},
      {"identity", "service_roles", SLOT(identity, service_roles),
       "Roles of which a service must hold one for its X-Service-Token to count."},
  };
}

std::vector<Key> identity_keys() {
  return {
      {"identity",
       "region",
       SLOT(identity, region),
       "Region of the catalog.",
       0,
       0,
       {},
       check_region},
      {"identity", "token_lifetime_seconds", SLOT(identity, token_lifetime_seconds),
       "Lifetime of a token.", 60, 30 * kDaySeconds},
      {"identity", "token_cache_seconds", SLOT(identity, token_cache_seconds),
       "How long a checked token is believed without looking again: a revocation may take this "
       "long. The same for what Keystone says of projects, 10 s at most.",
       0, 60},
      {"identity", "access_key_file", SLOT(identity, access_key_file),
       "File with the key that seals the secrets of access keys (AK/SK) in the database, and the "
       "tokens of callers whose jobs wait for other services; made when it is first needed. Empty: "
       "access-keys.key in the directory of the service. Servers that share a database need a copy "
       "of it each."},
      {"identity", "login_attempts_max", SLOT(identity, login_attempts_max),
       "Failed logins of a user within login_window_seconds before further ones are refused. The "
       "same for wrong signatures of one access key from one address.",
       1, 1000},
      {"identity", "login_window_seconds", SLOT(identity, login_window_seconds),
       "Window over which failed logins are counted.", 1, kDaySeconds},
      {"identity", "password_passes", SLOT(identity, password_passes),
       "Passes of argon2id over its memory.", 1, 64},
      {"identity", "password_memory_kib", SLOT(identity, password_memory_kib),
       "Memory of argon2id for one password, in KiB. Below 19456 only for tests.", 8, 4'194'304},
  };
}

} // namespace vitrine::ops
