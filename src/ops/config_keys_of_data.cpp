// Where image data is kept, what it comes from and goes to, and what it is encrypted with.
#include "base/text.hpp"
#include "ops/config_key_parts.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::ops {
namespace {

constexpr std::size_t kStoreNameMax = 63;

// Of every object store.
constexpr std::string_view kAddressing =
    "path: https://HOST/BUCKET/OBJECT; host: https://BUCKET.HOST/OBJECT, for which the endpoint "
    "must have a name.";

} // namespace

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
       "Size of the parts of an upload. An upload holds three in memory; one of an announced "
       "length above 10000 of them takes larger ones.",
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
       "Size of the parts of an export, which holds three in memory; one that may have more than "
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

} // namespace vitrine::ops
