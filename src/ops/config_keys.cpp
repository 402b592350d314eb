#include "ops/config_keys.hpp"

#include "base/ids.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>

namespace vitrine::ops {
namespace {

constexpr std::int64_t kCountMax = 2'147'483'647;
constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::size_t kStoreNameMax = 63;

// Of every object store.
constexpr std::string_view kAddressing =
    "path: https://HOST/BUCKET/OBJECT; host: https://BUCKET.HOST/OBJECT, for which the endpoint "
    "must have a name.";

template <class Enum>
Choice choice(Enum& value) {
  return {[&value] { return static_cast<std::size_t>(value); },
          [&value](std::size_t index) { value = static_cast<Enum>(index); }};
}

std::optional<std::string> check_listen(std::string_view text) {
  auto const parsed = parse_host_port(text);
  return parsed ? std::nullopt : std::optional(parsed.error().detail);
}

std::optional<std::string> check_endpoint(std::string_view text) {
  if (text.empty()) return std::nullopt;
  auto const scheme = text.find("://");
  bool const known = text.starts_with("http://") || text.starts_with("https://");
  bool const clean = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
  if (!known || !clean || text.size() == scheme + 3 || text.ends_with('/')) {
    return "must be http://HOST or https://HOST, with a port or path if need be, no slash at the "
           "end";
  }
  return std::nullopt;
}

std::optional<std::string> check_network(std::string_view text) {
  auto const slash = text.find('/');
  std::string const address(text.substr(0, slash));
  std::array<unsigned char, 16> bytes{};
  bool const four = inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
  bool const six = inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
  bool valid = four || six;
  if (valid && slash != std::string_view::npos) {
    auto const length = text::parse_int(text.substr(slash + 1));
    valid = length && *length >= 0 && *length <= (four ? 32 : 128);
  }
  if (valid) return std::nullopt;
  return fmt::format("'{}' is neither an address nor a network such as 10.0.0.0/8", text);
}

// Says nothing of the value, which may hold a password.
std::optional<std::string> check_database(std::string_view text) {
  if (text.empty() || text.starts_with("postgresql://") || text.starts_with("postgres://")) {
    return std::nullopt;
  }
  return "must be postgresql://USER@HOST/DATABASE, or empty for SQLite";
}

std::optional<std::string> check_bucket(std::string_view text) {
  if (text.empty() || is_bucket_name(text)) return std::nullopt;
  return "must have 3 to 63 of a-z 0-9 . - with a letter or digit at both ends";
}

std::optional<std::string> check_allowed(std::string_view text) {
  auto const colon = text.find(':');
  bool const fits = colon != std::string_view::npos && is_project_id(text.substr(0, colon)) &&
                    is_bucket_name(text.substr(colon + 1));
  if (fits) return std::nullopt;
  return fmt::format("'{}' is not PROJECT_ID:BUCKET", text);
}

std::optional<std::string> check_prefix(std::string_view text) {
  bool const fits = std::ranges::all_of(text, [](char c) {
    return text::is_alnum(c) || std::string_view("/._-").find(c) != std::string_view::npos;
  });
  if (fits && text.size() <= 512 && !text.starts_with('/')) return std::nullopt;
  return "must have at most 512 of A-Z a-z 0-9 / . _ - and not begin with a slash";
}

std::optional<std::string> check_region(std::string_view text) {
  if (!text.empty() && text.size() <= 255) return std::nullopt;
  return "must have 1 to 255 bytes";
}

using Place = std::function<Slot(Config&)>;

Key input_file(std::string section, std::string_view name, Place slot, std::string_view description,
               Applies applies = Applies::at_restart) {
  return {std::move(section), name, std::move(slot), description, 0, 0, {}, nullptr, applies,
          NamesFile::to_read};
}

/// SIGHUP opens it again, so that it can be rotated.
Key output_file(std::string section, std::string_view name, Place slot,
                std::string_view description) {
  return {
      std::move(section), name, std::move(slot), description, 0, 0, {}, nullptr, Applies::on_reload,
      NamesFile::to_write};
}

// Slots are found by a function, so that one table serves every Config.
#define SLOT(section, key) [](Config& config) -> Slot { return &config.section.key; }
#define CHOICE(section, key) [](Config& config) -> Slot { return choice(config.section.key); }

std::vector<Key> server_keys() {
  return {
      {"server",
       "role",
       CHOICE(server, role),
       "api: answers clients, and leaves jobs, audit trail and tidying to servers of role worker, "
       "which answer /healthcheck and /metrics only. Both need a PostgreSQL and an object store.",
       0,
       0,
       {"all", "api", "worker"}},
      {"server",
       "listen",
       SLOT(server, listen),
       "Address and port to listen on; an IPv6 address stands in brackets, port 0 takes a free "
       "one.",
       0,
       0,
       {},
       check_listen},
      {"server",
       "public_endpoint",
       SLOT(server, public_endpoint),
       "Base URL that clients reach this service at, for links, the catalog and clouds.yaml. "
       "Empty: taken from each request's Host.",
       0,
       0,
       {},
       check_endpoint},
      {"server",
       "trusted_proxies",
       SLOT(server, trusted_proxies),
       "Addresses or networks whose X-Forwarded-For, -Proto, -Host and -Prefix are believed.",
       0,
       0,
       {},
       check_network},
      input_file("server", "certificate_file", SLOT(server, certificate_file),
                 "PEM file with the certificate chain; with key_file it switches TLS on. Read "
                 "again on SIGHUP.",
                 Applies::on_reload),
      input_file("server", "key_file", SLOT(server, key_file),
                 "PEM file with the private key of the certificate. Read again on SIGHUP.",
                 Applies::on_reload),
      {"server", "io_threads", SLOT(server, io_threads), "Event loops for connections.", 1, 64},
      {"server", "api_threads", SLOT(server, api_threads),
       "Requests that are handled at once. Those that hash a password have two threads of their "
       "own beside these, and so have those with a body of more than 16 KiB.",
       1, 1024},
      {"server", "transfer_threads", SLOT(server, transfer_threads),
       "Chunks of image data that are stored at once.", 1, 256},
      {"server", "queue_max", SLOT(server, queue_max),
       "Requests that may wait for a thread of either kind; further ones are answered 503.", 1,
       1'000'000},
      {"server", "connections_max", SLOT(server, connections_max), "Open connections.", 1,
       1'000'000},
      {"server", "idle_timeout_seconds", SLOT(server, idle_timeout_seconds),
       "A kept connection without a request is closed after this time.", 1, 3600},
      {"server", "head_timeout_seconds", SLOT(server, head_timeout_seconds),
       "Time for the head of a request to arrive.", 1, 600},
      {"server", "body_timeout_seconds", SLOT(server, body_timeout_seconds),
       "A body of which nothing arrives for this time is given up.", 1, 3600},
      {"server", "body_bytes_per_second_min", SLOT(server, body_bytes_per_second_min),
       "A body that arrives slower than this, averaged over body_timeout_seconds, is given up. "
       "0: no limit.",
       0, 1'000'000'000},
      {"server", "drain_seconds", SLOT(server, drain_seconds),
       "On SIGTERM, how long running requests may take to finish.", 0, 86'400},
  };
}

std::vector<Key> storage_keys() {
  return {
      {"storage", "directory", SLOT(storage, directory),
       "Directory with the database, image data and keys, if --standalone does not give it. Two "
       "different ones are refused."},
      {"storage",
       "driver",
       CHOICE(storage, driver),
       "Where image data is kept. file: in the directory; s3: in a bucket, see [s3].",
       0,
       0,
       {"file", "s3"}},
      {"storage",
       "name",
       SLOT(storage, name),
       "What clients call this store where there are further ones, sections [store.NAME].",
       0,
       0,
       {},
       check_store_name},
      {"storage", "description", SLOT(storage, description), "What it is, for clients."},
      {"storage", "default", SLOT(storage, default_store),
       "Name of the store for data whose upload names none. Empty: this one."},
      {"storage", "sweep_seconds", SLOT(storage, sweep_seconds),
       "How often image data that belongs to no image, such as that of a killed server, is looked "
       "for.",
       1, 30 * kDaySeconds},
      {"storage", "stray_seconds", SLOT(storage, stray_seconds),
       "Such data is removed from a bucket, or a further directory, once it is older than this.", 0,
       365 * kDaySeconds},
      {"database",
       "url",
       SLOT(database, url),
       "PostgreSQL 14 or later that keeps everything but image data: "
       "postgresql://USER@HOST[,HOST…]/DATABASE?…, as libpq reads it; it also takes the password "
       "from PGPASSWORD or a password file. Of several hosts the one that can be written to is "
       "used. Empty: SQLite in the directory.",
       0,
       0,
       {},
       check_database},
      {"database", "pool_size", SLOT(database, pool_size), "Connections to PostgreSQL at most.", 2,
       1000},
      {"database", "connect_timeout_seconds", SLOT(database, connect_timeout_seconds),
       "How long a request waits for a connection to PostgreSQL, also while that restarts or fails "
       "over; then it is answered 503.",
       1, 300},
      {"database", "prepared_statements", SLOT(database, prepared_statements),
       "Keep statements prepared on PostgreSQL. False behind pgbouncer in transaction mode."},
  };
}

// The same in a section that is there more than once.
#define OF_S3(key) [of](Config& config) -> Slot { return &of(config).key; }

/// Of a section for an object store with image data, which `of` finds.
std::vector<Key> s3_keys(std::string const& section, std::function<S3Config&(Config&)> const& of) {
  return {
      {section,
       "endpoint",
       OF_S3(endpoint),
       "Base URL of an S3-compatible object store, such as https://objects.example.org.",
       0,
       0,
       {},
       check_endpoint},
      {section,
       "bucket",
       OF_S3(bucket),
       "Bucket for the image data; it must exist.",
       0,
       0,
       {},
       check_bucket},
      {section,
       "region",
       OF_S3(region),
       "Region that requests are signed for.",
       0,
       0,
       {},
       check_region},
      {section,
       "addressing",
       [of](Config& config) -> Slot { return choice(of(config).addressing); },
       kAddressing,
       0,
       0,
       {"path", "host"}},
      {section,
       "prefix",
       OF_S3(prefix),
       "What the keys of all objects begin with, such as vitrine/. Servers with the same database "
       "share it; no others may use it.",
       0,
       0,
       {},
       check_prefix},
      {section, "access_key", OF_S3(access_key), "Access key, unless it is in access_key_file."},
      input_file(section, "access_key_file", OF_S3(access_key_file),
                 "File with the access key. Read again when the store refuses the key."),
      {section, "secret_key", OF_S3(secret_key), "Secret key, unless it is in secret_key_file."},
      input_file(section, "secret_key_file", OF_S3(secret_key_file),
                 "File with the secret key. Read again when the store refuses the key."),
      input_file(
          section, "ca_file", OF_S3(ca_file),
          "PEM file with the certificates to believe for an https endpoint. Empty: those of the "
          "system."),
      {section, "part_size_mib", OF_S3(part_size_mib),
       "Size of the parts of an upload. An upload holds two in memory; one of an announced length "
       "above 10000 of them takes larger ones.",
       5, 1024},
      {section, "timeout_seconds", OF_S3(timeout_seconds),
       "How long the store may stay silent; what fails is tried three times, then the client is "
       "answered 503.",
       1, 300},
  };
}

#undef OF_S3

std::vector<Key> buckets_keys() {
  return {
      {"buckets",
       "driver",
       CHOICE(buckets, driver),
       "Where images are imported from and exported to. directory: DIR/buckets/PROJECT_ID/BUCKET; "
       "s3: an object store, see the keys below; none: nowhere. auto: directory when image data is "
       "in files, else none.",
       0,
       0,
       {"auto", "directory", "s3", "none"}},
      {"buckets",
       "endpoint",
       SLOT(buckets, endpoint),
       "Base URL of the S3-compatible object store with the buckets of the users.",
       0,
       0,
       {},
       check_endpoint},
      {"buckets",
       "region",
       SLOT(buckets, region),
       "Region that requests are signed for. A bucket that says it is in another one is refused.",
       0,
       0,
       {},
       check_region},
      {"buckets", "addressing", CHOICE(buckets, addressing), kAddressing, 0, 0, {"path", "host"}},
      {"buckets", "access_key", SLOT(buckets, access_key),
       "Access key for users that have no EC2 credential in Keystone, unless it is in "
       "access_key_file. It reaches the buckets of allow only."},
      input_file("buckets", "access_key_file", SLOT(buckets, access_key_file),
                 "File with the access key. Read again when the store refuses the key."),
      {"buckets", "secret_key", SLOT(buckets, secret_key),
       "Secret key, unless it is in secret_key_file."},
      input_file("buckets", "secret_key_file", SLOT(buckets, secret_key_file),
                 "File with the secret key. Read again when the store refuses the key."),
      {"buckets",
       "allow",
       SLOT(buckets, allow),
       "Which project reaches which bucket with those keys, each as PROJECT_ID:BUCKET.",
       0,
       0,
       {},
       check_allowed},
      input_file("buckets", "ca_file", SLOT(buckets, ca_file),
                 "PEM file with the certificates to believe for an https endpoint. Empty: those of "
                 "the system."),
      {"buckets", "part_size_mib", SLOT(buckets, part_size_mib),
       "Size of the parts of an export, which holds two in memory; one that may have more than "
       "10000 of them takes larger ones.",
       5, 1024},
      {"buckets", "timeout_seconds", SLOT(buckets, timeout_seconds),
       "How long the store may stay silent before a request is tried again.", 1, 300},
  };
}

std::vector<Key> key_keys() {
  return {
      {"keys",
       "driver",
       CHOICE(keys, driver),
       "Where the keys are that images are encrypted with (cmk_id). builtin: in a file; barbican: "
       "in a Barbican, reached as the account of [identity]; none: encryption is not offered. "
       "auto: "
       "builtin, but none with [database] url and no file. See `vitrine keys`.",
       0,
       0,
       {"auto", "builtin", "barbican", "none"}},
      {"keys", "file", SLOT(keys, file),
       "File with the keys, for its owner alone; made with the first key. Servers with the same "
       "database need the same file, on storage that they share. Empty: keyring in the storage "
       "directory, of a server alone."},
      {"keys",
       "url",
       SLOT(keys, url),
       "Where Barbican is, such as https://barbican.example.org:9311; without /v1.",
       0,
       0,
       {},
       check_endpoint},
      input_file("keys", "ca_file", SLOT(keys, ca_file),
                 "PEM file with the certificates to believe for an https url. Empty: those of the "
                 "system."),
      {"keys", "timeout_seconds", SLOT(keys, timeout_seconds),
       "How long one request to Barbican may take; then the client is answered 503.", 1, 60},
      {"keys", "cache_seconds", SLOT(keys, cache_seconds),
       "How long a key that Barbican gave is used without asking again: one that is disabled or "
       "removed there may be used that long.",
       0, 60},
  };
}

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

std::vector<Key> image_keys() {
  return {
      {"compat",
       "profile",
       CHOICE(compat, profile),
       "ims: native answers carry the `__*` attributes and images start private; glance: exactly "
       "as "
       "the OpenStack service.",
       0,
       0,
       {"ims", "glance"}},
      {"images", "size_bytes_max", SLOT(images, size_bytes_max), "Largest image, in bytes.", 1,
       INT64_MAX},
      {"images", "member_max", SLOT(images, member_max), "Members of an image.", 1, kCountMax},
      {"images", "property_max", SLOT(images, property_max), "Custom properties of an image.", 0,
       kCountMax},
      {"images", "tag_max", SLOT(images, tag_max), "Tags of an image.", 0, kCountMax},
      {"images", "page_default", SLOT(images, page_default),
       "Rows of a page when none are asked for.", 1, 10'000},
      {"images", "page_max", SLOT(images, page_max),
       "Rows of a page at most; more are cut, not refused.", 1, 10'000},
      {"images", "unique_names", SLOT(images, unique_names),
       "Refuse to create an image with, or give it, a name that another image of the project has."},
      {"images", "copy_size_bytes_max", SLOT(images, copy_size_bytes_max),
       "Largest image that may be copied, in bytes.", 1, INT64_MAX},
      {"images",
       "os_version_policy",
       CHOICE(images, os_version_policy),
       "An os_version that no list has is refused by the extension (strict), or its platform, type "
       "and bits are guessed from its words (open).",
       0,
       0,
       {"strict", "open"}},
      input_file("images", "os_versions_file", SLOT(images, os_versions_file),
                 "More operating systems: a file of columns with tabs between them, whose first "
                 "line names them: platform, os_version, os_bit (32, 64), os_type (Linux, Windows, "
                 "Other), uefi (yes, no). Its lines stand over those of the list of the build."),
      {"formats", "allow_raw_mismatch", SLOT(formats, allow_raw_mismatch),
       "Take bytes of a structured format that are declared raw. A guest could then read files of "
       "the host through a disguised backing file."},
      {"convert", "directory", SLOT(convert, directory),
       "Directory for images while they are converted; it must have room for the largest disk. "
       "Empty: convert in the storage directory."},
      {"convert", "qemu_img", SLOT(convert, qemu_img),
       "The program qemu-img, below /usr. Where there is none, only raw, zvhd and zvhd2 are "
       "converted into each other."},
      {"convert", "timeout_seconds", SLOT(convert, timeout_seconds),
       "How long one run of qemu-img may take.", 1, 7 * kDaySeconds},
      {"convert", "memory_mib", SLOT(convert, memory_mib),
       "Address space that one run of qemu-img may have.", 128, 65'536},
      {"convert", "parallel", SLOT(convert, parallel), "Images that are converted at once.", 1, 64},
      {"quota", "image", SLOT(quota, image), "Images of a project.", 0, kCountMax},
      {"quota", "image_shared", SLOT(quota, image_shared),
       "Images of a project that have an accepted member.", 0, kCountMax},
      {"quota", "image_member", SLOT(quota, image_member),
       "Members of an image, as the quota shows it.", 0, kCountMax},
      {"quota", "apply_to_native", SLOT(quota, apply_to_native),
       "Hold the image quota on POST /v2/images too: 413 beyond it."},
  };
}

std::vector<Key> spool_keys() {
  return {
      {"spool", "directory", SLOT(spool, directory),
       "Directory for image data that is signed with an access key and whose SHA-256 no header "
       "tells: it waits there, in files without a name, until the signature can be checked. Empty: "
       "the storage directory. A twentieth of its disk is left free, 4 GiB at most."},
      {"spool", "size_bytes_max", SLOT(spool, size_bytes_max),
       "Such data of one image, in bytes; more is answered 413. 0: none is taken.", 0, INT64_MAX},
      {"spool", "total_bytes_max", SLOT(spool, total_bytes_max),
       "All of it that is under way, in bytes. One access key at one address takes half of what "
       "the others leave; more is answered 503.",
       0, INT64_MAX},
      {"spool", "timeout_seconds", SLOT(spool, timeout_seconds),
       "How long such data may take to arrive; then it is answered 408.", 1, kDaySeconds},
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

std::vector<Key> operation_keys() {
  return {
      {"jobs", "workers", SLOT(jobs, workers), "Quick jobs that run at once.", 1, 256},
      {"jobs", "carriers", SLOT(jobs, carriers),
       "Jobs that carry image data and run at once, beside the quick ones: imports and exports.", 1,
       256},
      {"jobs", "lease_seconds", SLOT(jobs, lease_seconds),
       "A worker silent for this time is taken for dead and its job given to another.", 1, 3600},
      {"jobs", "poll_seconds", SLOT(jobs, poll_seconds),
       "How often idle workers look for jobs that nobody announced.", 1, 600},
      {"jobs", "retention_days", SLOT(jobs, retention_days), "How long an ended job can be read.",
       1, 3650},
      input_file("policy", "file", SLOT(policy, file),
                 "Policy file, YAML or JSON. Empty: the defaults. Read again on SIGHUP.",
                 Applies::on_reload),
      {"policy", "role_aliases", SLOT(policy, role_aliases),
       "Roles that count as another one, such as te_admin = \"member\"."},
      output_file("audit", "file", SLOT(audit, file),
                  "File that audit events are appended to, one JSON object a line. Empty: "
                  "audit.jsonl in the storage directory. Opened again on SIGHUP."),
      {"log",
       "level",
       CHOICE(log, level),
       "What is logged, and all that is graver.",
       0,
       0,
       {"debug", "info", "warning", "error", "off"}},
      {"log",
       "format",
       CHOICE(log, format),
       "json: one JSON object a line; text: for people.",
       0,
       0,
       {"json", "text"}},
      output_file("log", "file", SLOT(log, file),
                  "File that log lines are appended to. Empty: standard error. Opened again on "
                  "SIGHUP."),
      {"metrics", "enabled", SLOT(metrics, enabled), "Serve GET /metrics."},
      {"metrics", "per_project", SLOT(metrics, per_project),
       "Add the project to the labels; costs memory with many projects."},
  };
}

#undef SLOT
#undef CHOICE

} // namespace

std::optional<std::string> check_store_name(std::string_view text) {
  auto const fits = [](char c) {
    return (c >= 'a' && c <= 'z') || text::is_digit(c) || c == '-' || c == '_';
  };
  if (!text.empty() && text.size() <= kStoreNameMax && text::is_alnum(text.front()) &&
      std::ranges::all_of(text, fits)) {
    return std::nullopt;
  }
  return fmt::format("the name of a store has 1 to {} of a-z 0-9 - _ and begins with a letter or "
                     "digit",
                     kStoreNameMax);
}

std::string Key::full_name() const { return fmt::format("{}.{}", section, name); }

std::string Key::variable() const {
  auto text = fmt::format("VITRINE_{}_{}", section, name);
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '.' || c == '-') c = '_';
  }
  return text;
}

std::vector<Key> keys_of_store(std::string const& name) {
  auto const section = std::string(kStoreSections) + name;
  auto const of = [name](Config& config) -> StoreConfig& { return config.stores[name]; };
  std::vector<Key> keys{
      {section,
       "driver",
       [of](Config& config) -> Slot { return choice(of(config).driver); },
       "A further store of image data. file: in the directory below; s3: in a bucket.",
       0,
       0,
       {"file", "s3"}},
      {section, "description", [of](Config& config) -> Slot { return &of(config).description; },
       "What it is, for clients."},
      {section, "directory", [of](Config& config) -> Slot { return &of(config).directory; },
       "Directory for driver file; of this server and this store alone."}};
  auto const s3 = s3_keys(section, [of](Config& config) -> S3Config& { return of(config).s3; });
  keys.insert(keys.end(), s3.begin(), s3.end());
  return keys;
}

std::span<Key const> config_keys() {
  static std::vector<Key> const keys = [] {
    std::vector<Key> all;
    auto const s3 = s3_keys("s3", [](Config& config) -> S3Config& { return config.s3; });
    for (auto const& part : {server_keys(), storage_keys(), s3, buckets_keys(), key_keys(),
                             compute_keys(), block_storage_keys(), image_keys(), spool_keys(),
                             keystone_keys(), identity_keys(), operation_keys()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return keys;
}

} // namespace vitrine::ops
