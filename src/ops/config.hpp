// The configuration: a typed struct whose initialisers are the defaults, filled from a TOML file,
// the environment and the command line. Each key is one row in `config.cpp`: type, bounds, text.
//
// Precedence: command line > environment > file > default. A key `section.key` is the environment
// variable VITRINE_SECTION_KEY. The sections `store.NAME` are as many as the file has.
#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::ops {

/// Which half of the work a server does: answers clients, or works on jobs and tidies up.
enum class Role : std::uint8_t { all, api, worker };
enum class Profile : std::uint8_t { ims, glance };
enum class OsVersionPolicy : std::uint8_t { strict, open };
enum class IdentityDriver : std::uint8_t { builtin, keystone };
enum class StorageDriver : std::uint8_t { file, s3 };
enum class BucketsDriver : std::uint8_t { automatic, directory, s3, none };
enum class ComputeDriver : std::uint8_t { none, nova };
enum class VolumesDriver : std::uint8_t { none, cinder }; ///< of volumes, and of their backups
enum class Addressing : std::uint8_t { path, host };
enum class KeysDriver : std::uint8_t { automatic, builtin, barbican, none };
enum class LogLevel : std::uint8_t { debug, info, warning, error, off };
enum class LogFormat : std::uint8_t { json, text };

struct ServerConfig {
  Role role{Role::all};
  std::string listen{"127.0.0.1:9292"};
  std::string public_endpoint;
  std::vector<std::string> trusted_proxies;
  std::string certificate_file;
  std::string key_file;
  std::int64_t io_threads{2};
  std::int64_t api_threads{32};
  std::int64_t transfer_threads{4};
  std::int64_t queue_max{1024};
  std::int64_t connections_max{4096};
  std::int64_t idle_timeout_seconds{75};
  std::int64_t head_timeout_seconds{15};
  std::int64_t body_timeout_seconds{30};
  std::int64_t body_bytes_per_second_min{1024};
  std::int64_t drain_seconds{30};
};

struct StorageConfig {
  std::string directory;
  StorageDriver driver{StorageDriver::file};
  std::string name{"main"}; ///< of the first store, where there are further ones
  std::string description;
  std::string default_store; ///< by name; empty: the first
  std::int64_t sweep_seconds{3600};
  std::int64_t stray_seconds{86'400};
};

struct S3Config {
  std::string endpoint;
  std::string bucket;
  std::string region{"us-east-1"};
  Addressing addressing{Addressing::path};
  std::string prefix;
  std::string access_key;
  std::string access_key_file;
  std::string secret_key;
  std::string secret_key_file;
  std::string ca_file;
  std::int64_t part_size_mib{16};
  std::int64_t timeout_seconds{10};
};

/// A further store of image data; its name is the key of the map.
struct StoreConfig {
  StorageDriver driver{StorageDriver::file};
  std::string description;
  std::string directory; ///< of files
  S3Config s3;
};

struct BucketsConfig {
  BucketsDriver driver{BucketsDriver::automatic};
  std::string endpoint;
  std::string region{"us-east-1"};
  Addressing addressing{Addressing::path};
  std::string access_key;
  std::string access_key_file;
  std::string secret_key;
  std::string secret_key_file;
  std::vector<std::string> allow;
  std::string ca_file;
  std::int64_t part_size_mib{16};
  std::int64_t timeout_seconds{10};
};

struct ComputeConfig {
  ComputeDriver driver{ComputeDriver::none};
  std::string endpoint;
  bool require_stopped{false};
  std::string ca_file;
  std::int64_t timeout_seconds{10};
  std::int64_t wait_seconds{21'600};
};

struct BlockStorageConfig {
  VolumesDriver driver{VolumesDriver::none};
  std::string endpoint;
  VolumesDriver backup{VolumesDriver::none};
  std::string ca_file;
  std::int64_t timeout_seconds{10};
};

struct DatabaseConfig {
  std::string url; ///< may hold a password
  std::int64_t pool_size{16};
  std::int64_t connect_timeout_seconds{5};
  bool prepared_statements{true};
};

struct KeysConfig {
  KeysDriver driver{KeysDriver::automatic};
  std::string file;
  std::string url;
  std::string ca_file;
  std::int64_t timeout_seconds{5};
  std::int64_t cache_seconds{10};
};

struct CompatConfig {
  Profile profile{Profile::ims};
};

struct ImagesConfig {
  std::int64_t size_bytes_max{limits::image_size_bytes};
  std::int64_t member_max{limits::image_members};
  std::int64_t property_max{limits::image_properties};
  std::int64_t tag_max{limits::image_tags};
  std::int64_t page_default{limits::page_default};
  std::int64_t page_max{limits::page_max};
  bool unique_names{false};
  std::int64_t copy_size_bytes_max{limits::copy_size_bytes};
  OsVersionPolicy os_version_policy{OsVersionPolicy::strict};
  std::string os_versions_file;
};

struct FormatsConfig {
  bool allow_raw_mismatch{false};
};

struct ConvertConfig {
  std::string directory;
  std::string qemu_img{"/usr/bin/qemu-img"};
  std::int64_t timeout_seconds{21'600};
  std::int64_t memory_mib{1024};
  std::int64_t parallel{2};
};

struct SpoolConfig {
  std::string directory;
  std::int64_t size_bytes_max{std::int64_t{16} << 30};
  std::int64_t total_bytes_max{std::int64_t{32} << 30};
  std::int64_t timeout_seconds{3600};
};

struct QuotaConfig {
  std::int64_t image{100};
  std::int64_t image_shared{1000};
  std::int64_t image_member{limits::image_members};
  bool apply_to_native{false};
};

struct IdentityConfig {
  IdentityDriver driver{IdentityDriver::builtin};
  std::string auth_url;
  std::string username;
  std::string password;
  std::string password_file;
  std::string user_domain{"Default"};
  std::string project{"service"};
  std::string project_domain{"Default"};
  std::string application_credential_id;
  std::string application_credential_secret;
  std::string ca_file;
  std::int64_t timeout_seconds{5};
  std::vector<std::string> service_roles{"service"};
  std::string region{"RegionOne"};
  std::int64_t token_lifetime_seconds{3600};
  std::int64_t token_cache_seconds{10};
  std::string access_key_file;
  std::int64_t login_attempts_max{10};
  std::int64_t login_window_seconds{60};
  std::int64_t password_passes{2};
  std::int64_t password_memory_kib{19'456};
};

struct JobsConfig {
  std::int64_t workers{2};
  std::int64_t carriers{2};
  std::int64_t lease_seconds{30};
  std::int64_t poll_seconds{1};
  std::int64_t retention_days{limits::job_retention_seconds / 86'400};
};

struct PolicyConfig {
  std::string file;
  std::map<std::string, std::string> role_aliases;
};

struct AuditConfig {
  std::string file;
};

struct LogConfig {
  LogLevel level{LogLevel::info};
  LogFormat format{LogFormat::json};
  std::string file;
};

struct MetricsConfig {
  bool enabled{true};
  bool per_project{false};
};

struct Config {
  ServerConfig server;
  StorageConfig storage;
  S3Config s3;
  std::map<std::string, StoreConfig, std::less<>> stores; ///< the further ones
  BucketsConfig buckets;
  ComputeConfig compute;
  BlockStorageConfig block_storage;
  DatabaseConfig database;
  KeysConfig keys;
  CompatConfig compat;
  ImagesConfig images;
  FormatsConfig formats;
  ConvertConfig convert;
  SpoolConfig spool;
  QuotaConfig quota;
  IdentityConfig identity;
  JobsConfig jobs;
  PolicyConfig policy;
  AuditConfig audit;
  LogConfig log;
  MetricsConfig metrics;
};

/// Values as text, by name: of environment variables, or of keys (`section.key`) from the command
/// line.
using Settings = std::map<std::string, std::string, std::less<>>;

/// The variables of a process environment (`environ`) whose name starts with VITRINE_.
Settings environment_settings(char const* const* environment);

/// Reads the file if there is one, then the environment, then the command line. In text, the items
/// of a list and of a map (`a=b`) are separated by commas.
///
/// Errors: `invalid_value`; the detail has one line a fault, all of them:
/// `file:line: section.key: what is wrong and the limit`, or the variable or `command line` for the
/// place. Unknown sections and keys are faults, also variables that start like a section but name
/// no key.
Result<Config> load_config(std::optional<std::string> const& path, Settings const& environment = {},
                           Settings const& command_line = {});

/// A look into the file that a key names, made when the key is set.
struct FileLook {
  std::string_view key; ///< `section.name`
  std::function<Result<>(Config const&)> look;
};

/// Like `load_config`, and also whether the files can be used that the service would use: a fault
/// for each, in the same form. `looks` are made when all else is right.
Result<> check_config(std::string const& path, Settings const& environment,
                      std::span<FileLook const> looks = {});

/// Reference of all keys, Markdown.
std::string describe_config_markdown();

struct HostPort {
  std::string host; ///< without brackets
  std::uint16_t port{0};
  friend bool operator==(HostPort const&, HostPort const&) = default;
};

/// `HOST:PORT`; an IPv6 address stands in brackets. Errors: `invalid_value`.
Result<HostPort> parse_host_port(std::string_view text);

} // namespace vitrine::ops
