#include "ops/config.hpp"

#include "base/text.hpp"
#include "ops/config_keys.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
#include <unistd.h>

namespace vitrine::ops {
namespace {

using Reason = std::optional<std::string>; ///< why a value is refused; nothing when it was taken

/// Whether a URL names its host by an address, in front of which no name can stand.
bool has_address(std::string_view url) {
  auto host = url.substr(std::min(url.find("://") + 3, url.size()));
  if (host.starts_with('[')) return true;
  std::string const name(host.substr(0, host.find_first_of(":/")));
  in_addr address{};
  return inet_pton(AF_INET, name.c_str(), &address) == 1;
}

std::string quoted_choices(Key const& key) {
  return fmt::format("must be one of {}", fmt::join(key.choices, ", "));
}

Reason take(Key const& key, std::int64_t& target, std::int64_t value) {
  if (value < key.min || value > key.max) {
    return fmt::format("{} is out of range, {} to {}", value, key.min, key.max);
  }
  target = value;
  return {};
}

Reason take(Key const& key, std::string& target, std::string value) {
  if (auto reason = key.check ? key.check(value) : std::nullopt) return reason;
  target = std::move(value);
  return {};
}

Reason take(Key const& key, std::vector<std::string>& target, std::vector<std::string> items) {
  for (auto const& item : items) {
    if (auto reason = key.check ? key.check(item) : std::nullopt) return reason;
  }
  target = std::move(items);
  return {};
}

Reason take(Key const& key, Choice& target, std::string_view value) {
  auto const found = std::ranges::find(key.choices, value);
  if (found == key.choices.end()) return quoted_choices(key);
  target.set(static_cast<std::size_t>(found - key.choices.begin()));
  return {};
}

std::vector<std::string> split_items(std::string_view text) {
  std::vector<std::string> items;
  for (auto const part : text::split(text, ',')) {
    if (auto const item = text::trim(part); !item.empty()) items.emplace_back(item);
  }
  return items;
}

/// Takes a value written as text: a variable or the command line.
struct FromText {
  Key const& key;
  std::string_view text;

  Reason operator()(bool* target) const {
    if (text != "true" && text != "false") return "must be true or false";
    *target = text == "true";
    return {};
  }
  Reason operator()(std::int64_t* target) const {
    auto const value = text::parse_int(text);
    if (!value) return fmt::format("must be a whole number, {} to {}", key.min, key.max);
    return take(key, *target, *value);
  }
  Reason operator()(std::string* target) const { return take(key, *target, std::string(text)); }
  Reason operator()(std::vector<std::string>* target) const {
    return take(key, *target, split_items(text));
  }
  Reason operator()(std::map<std::string, std::string>* target) const {
    std::map<std::string, std::string> entries;
    for (auto const& item : split_items(text)) {
      auto const equals = item.find('=');
      if (equals == std::string::npos || equals == 0 || equals + 1 == item.size()) {
        return fmt::format("'{}' is not NAME=VALUE", item);
      }
      entries[item.substr(0, equals)] = item.substr(equals + 1);
    }
    *target = std::move(entries);
    return {};
  }
  Reason operator()(Choice target) const { return take(key, target, text); }
};

/// Takes a value of the file, of exactly the key's type.
struct FromToml {
  Key const& key;
  toml::node const& node;

  Reason operator()(bool* target) const {
    auto const value = node.value_exact<bool>();
    if (!value) return "must be true or false";
    *target = *value;
    return {};
  }
  Reason operator()(std::int64_t* target) const {
    auto const value = node.value_exact<std::int64_t>();
    if (!value) return fmt::format("must be a whole number, {} to {}", key.min, key.max);
    return take(key, *target, *value);
  }
  Reason operator()(std::string* target) const {
    auto value = node.value_exact<std::string>();
    if (!value) return "must be text in quotes";
    return take(key, *target, std::move(*value));
  }
  Reason operator()(std::vector<std::string>* target) const {
    std::vector<std::string> items;
    auto const* array = node.as_array();
    if (array == nullptr) return "must be a list of texts";
    for (auto const& item : *array) {
      auto value = item.value_exact<std::string>();
      if (!value) return "must be a list of texts";
      items.push_back(std::move(*value));
    }
    return take(key, *target, std::move(items));
  }
  Reason operator()(std::map<std::string, std::string>* target) const {
    std::map<std::string, std::string> entries;
    auto const* table = node.as_table();
    if (table == nullptr) return "must be a table of texts";
    for (auto const& [name, item] : *table) {
      auto value = item.value_exact<std::string>();
      if (!value) return "must be a table of texts";
      entries.emplace(name.str(), std::move(*value));
    }
    *target = std::move(entries);
    return {};
  }
  Reason operator()(Choice target) const {
    auto const value = node.value_exact<std::string>();
    return value ? take(key, target, *value) : quoted_choices(key);
  }
};

bool is_readable(std::string const& path) {
  std::error_code failed;
  return std::filesystem::is_regular_file(path, failed) && std::ifstream(path).good();
}

bool is_writable(std::string const& path) {
  std::error_code failed;
  if (std::filesystem::exists(path, failed)) {
    return !std::filesystem::is_directory(path, failed) && ::access(path.c_str(), W_OK) == 0;
  }
  auto const folder = std::filesystem::path(path).parent_path();
  return ::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0;
}

class Loader {
public:
  void file(std::string const& path) {
    if (!is_readable(path)) {
      return fault(path, "file", "is not a file that can be read");
    }
    auto const parsed = toml::parse_file(path);
    if (!parsed) {
      auto const& problem = parsed.error();
      return fault(fmt::format("{}:{}", path, problem.source().begin.line), "file",
                   problem.description());
    }
    for (auto const& [name, node] : parsed.table()) {
      if (name.str() == kStores) {
        stores(path, node);
      } else {
        section(path, std::string(name.str()), node);
      }
    }
  }

  void environment(Settings const& variables) {
    for (auto const& [variable, text] : variables) {
      auto const found = std::ranges::find(keys_, variable, &Key::variable);
      if (found != keys_.end()) {
        set_text("environment " + variable, *found, text);
      } else if (starts_like_section(variable)) {
        fault("environment " + variable, "variable", "names no key");
      }
    }
  }

  void command_line(Settings const& settings) {
    for (auto const& [name, text] : settings) {
      auto const dot = name.rfind('.');
      auto const* key = dot == std::string::npos
                            ? nullptr
                            : find_key(name.substr(0, dot), std::string_view(name).substr(dot + 1));
      if (key == nullptr) {
        fault("command line", name, "names no key");
      } else {
        set_text("command line", *key, text);
      }
    }
  }

  /// Whether the files that the keys name can be used.
  void files() {
    for (auto const& key : keys_) {
      if (key.names_file == NamesFile::no) continue;
      auto const& file = *std::get<std::string*>(key.slot(config_));
      bool const reads = key.names_file == NamesFile::to_read;
      if (file.empty() || (reads ? is_readable(file) : is_writable(file))) continue;
      fault(places_[key.full_name()], key.full_name(),
            fmt::format("{} is not a file that can be {}", file, reads ? "read" : "written"));
    }
  }

  /// Rules over more than one key, once each is good by itself; the fault stands at the key that
  /// was set.
  void check_together() {
    if (!faults_.empty()) return;
    auto const& server = config_.server;
    if (server.certificate_file.empty() != server.key_file.empty()) {
      together(server.key_file.empty() ? "server.certificate_file" : "server.key_file",
               "certificate_file and key_file go together");
    }
    auto const& images = config_.images;
    if (images.page_default > images.page_max) {
      together(places_.contains("images.page_default") ? "images.page_default" : "images.page_max",
               fmt::format("page_default {} is above page_max {}", images.page_default,
                           images.page_max));
    }
    auto const& spool = config_.spool;
    if (spool.size_bytes_max > spool.total_bytes_max / 2) {
      together(places_.contains("spool.size_bytes_max") ? "spool.size_bytes_max"
                                                        : "spool.total_bytes_max",
               fmt::format("size_bytes_max {} is above half of total_bytes_max {}",
                           spool.size_bytes_max, spool.total_bytes_max));
    }
    if (server.role != Role::all) check_role(server.role == Role::api ? "api" : "worker");
    if (config_.identity.driver == IdentityDriver::keystone) check_keystone();
    check_stores();
    if (config_.buckets.driver == BucketsDriver::s3) check_buckets();
    check_cloud();
    if (config_.keys.driver == KeysDriver::barbican) check_barbican();
    bool const shared = !config_.database.url.empty();
    if (config_.keys.driver == KeysDriver::builtin && shared && config_.keys.file.empty()) {
      together("keys.driver",
               "builtin needs keys.file with database.url: servers that share rows share keys");
    }
  }

  /// What the files hold, once all keys are good.
  void contents(std::span<FileLook const> looks) {
    if (!faults_.empty()) return;
    for (auto const& look : looks) {
      if (!places_.contains(look.key)) continue;
      if (auto const looked = look.look(config_); !looked) {
        fault(places_.find(look.key)->second, look.key, looked.error().detail);
      }
    }
  }

  Result<Config> finish() {
    if (faults_.empty()) return std::move(config_);
    return error(Fault::invalid_value, fmt::format("{}", fmt::join(faults_, "\n")), first_key_);
  }

private:
  static constexpr std::string_view kStores = "store";

  [[nodiscard]] bool is_section(std::string_view name) const {
    return std::ranges::find(keys_, name, &Key::section) != keys_.end();
  }

  [[nodiscard]] Key const* find_key(std::string_view section, std::string_view name) const {
    auto const found = std::ranges::find_if(
        keys_, [&](Key const& key) { return key.section == section && key.name == name; });
    return found == keys_.end() ? nullptr : &*found;
  }

  /// The sections `store.NAME`: each brings its keys with it.
  void stores(std::string const& path, toml::node const& node) {
    auto const* table = node.as_table();
    if (table == nullptr) return fault(place(path, node), kStores, "must be sections store.NAME");
    for (auto const& [name, store] : *table) {
      auto const section_name = std::string(kStoreSections) + std::string(name.str());
      auto const wrong = check_store_name(name.str());
      if (wrong) {
        fault(place(path, store), section_name, *wrong);
        continue;
      }
      auto keys = keys_of_store(std::string(name.str()));
      auto const twin = std::ranges::find(keys_, keys.front().variable(), &Key::variable);
      if (twin != keys_.end()) {
        fault(place(path, store), section_name, "has the variables of " + twin->section);
        continue;
      }
      config_.stores.try_emplace(std::string(name.str()));
      std::ranges::move(keys, std::back_inserter(keys_));
      section(path, section_name, store);
    }
  }

  void section(std::string const& path, std::string const& name, toml::node const& node) {
    auto const where = place(path, node);
    if (!is_section(name)) return fault(where, name, "no section has this name");
    auto const* table = node.as_table();
    if (table == nullptr) return fault(where, name, "must be a section");
    places_[name] = where;
    for (auto const& [key_name, value] : *table) {
      auto const* key = find_key(name, key_name.str());
      auto const full = fmt::format("{}.{}", name, key_name.str());
      if (key == nullptr) {
        fault(place(path, value), full, "no key has this name");
      } else {
        set(place(path, value), *key, FromToml{*key, value});
      }
    }
  }

  static std::string place(std::string const& path, toml::node const& node) {
    return fmt::format("{}:{}", path, node.source().begin.line);
  }

  [[nodiscard]] bool starts_like_section(std::string_view variable) const {
    auto const begins = [&](std::string const& section) {
      return variable.starts_with(Key{section, "", nullptr, ""}.variable());
    };
    return begins(std::string(kStores)) ||
           std::ranges::any_of(keys_, [&](Key const& key) { return begins(key.section); });
  }

  void set_text(std::string const& where, Key const& key, std::string_view text) {
    set(where, key, FromText{key, text});
  }

  template <class Source>
  void set(std::string const& where, Key const& key, Source const& source) {
    places_[key.full_name()] = where;
    if (auto const reason = std::visit(source, key.slot(config_))) {
      fault(where, key.full_name(), *reason);
    }
  }

  // What one of them writes the other must find.
  void check_role(std::string_view role) {
    if (config_.database.url.empty()) {
      together("server.role",
               fmt::format("{} needs database.url: servers of other roles share it", role));
    } else if (auto const key = driver_of_files(); !key.empty()) {
      together(
          "server.role",
          fmt::format("{} needs {} = s3: servers of other roles share the image data", role, key));
    } else if (config_.buckets.driver == BucketsDriver::directory) {
      together("server.role",
               fmt::format("{} needs another buckets.driver than directory, which other servers do "
                           "not see",
                           role));
    }
  }

  void check_addressing(std::string const& key, Addressing addressing, std::string_view endpoint) {
    if (addressing == Addressing::path || !has_address(endpoint)) return;
    together(key, fmt::format("host needs an endpoint with a name, {} has an address", endpoint));
  }

  /// The key of a driver that keeps files; empty when there is none.
  [[nodiscard]] std::string driver_of_files() const {
    if (config_.storage.driver == StorageDriver::file) return "storage.driver";
    for (auto const& [name, store] : config_.stores) {
      if (store.driver == StorageDriver::file)
        return fmt::format("{}{}.driver", kStoreSections, name);
    }
    return {};
  }

  void check_stores() {
    auto const& storage = config_.storage;
    if (storage.driver == StorageDriver::s3) check_s3("storage.driver", "s3", config_.s3);
    auto const& chosen = storage.default_store;
    if (!chosen.empty() && chosen != storage.name && !config_.stores.contains(chosen)) {
      together("storage.default", fmt::format("there is no store '{}'", chosen));
    }
    std::map<std::string, std::string> owners; // of places, by section
    if (storage.driver == StorageDriver::s3) owners[place_of(config_.s3)] = "storage";
    if (storage.driver == StorageDriver::file && !storage.directory.empty()) {
      owners[place_of(storage.directory + "/blobs")] = "storage";
    }
    for (auto const& [name, store] : config_.stores) {
      auto const section = std::string(kStoreSections) + name;
      check_store(section, store);
      if (name == storage.name) together(section, "has the name of the first store, storage.name");
      bool const in_files = store.driver == StorageDriver::file;
      auto const [owner, is_new] =
          owners.emplace(in_files ? place_of(store.directory) : place_of(store.s3), section);
      if (!is_new) together(section, "keeps image data in the place of " + owner->second);
    }
  }

  void check_store(std::string const& section, StoreConfig const& store) {
    if (store.driver == StorageDriver::s3) {
      check_s3(section + ".driver", section, store.s3);
    } else if (!std::filesystem::path(store.directory).is_absolute()) {
      together(section + ".directory", "must be a whole path, from / on");
    }
  }

  static std::string place_of(std::string_view directory) {
    return "file " + (std::filesystem::path(directory) / "").lexically_normal().string();
  }

  static std::string place_of(S3Config const& s3) {
    return fmt::format("s3 {} {} {}", s3.endpoint, s3.bucket, s3.prefix);
  }

  void check_s3(std::string const& key, std::string_view section, S3Config const& s3) {
    check_addressing(fmt::format("{}.addressing", section), s3.addressing, s3.endpoint);
    auto const missing = [&](std::string_view what) {
      together(key, fmt::format("s3 needs {}", what));
    };
    if (s3.endpoint.empty()) missing(fmt::format("{}.endpoint", section));
    if (s3.bucket.empty()) missing(fmt::format("{}.bucket", section));
    if (s3.access_key.empty() == s3.access_key_file.empty()) {
      missing(fmt::format("either {0}.access_key or {0}.access_key_file", section));
    }
    if (s3.secret_key.empty() == s3.secret_key_file.empty()) {
      missing(fmt::format("either {0}.secret_key or {0}.secret_key_file", section));
    }
  }

  void check_buckets() {
    auto const& buckets = config_.buckets;
    check_addressing("buckets.addressing", buckets.addressing, buckets.endpoint);
    auto const missing = [&](std::string_view reason) { together("buckets.driver", reason); };
    if (buckets.endpoint.empty()) missing("s3 needs buckets.endpoint");
    auto const given = [](std::string const& key, std::string const& file) {
      return int{!key.empty()} + int{!file.empty()};
    };
    auto const access = given(buckets.access_key, buckets.access_key_file);
    if (access > 1 || access != given(buckets.secret_key, buckets.secret_key_file)) {
      missing("each of the two keys goes in itself or its file, and both go together");
    }
    if (access == 0 && !buckets.allow.empty()) missing("buckets.allow needs keys");
    if (access == 0 && config_.identity.driver != IdentityDriver::keystone) {
      missing("s3 needs keys: only Keystone knows those of the users");
    }
  }

  void check_barbican() {
    auto const missing = [&](std::string_view reason) { together("keys.driver", reason); };
    if (config_.keys.url.empty()) missing("barbican needs keys.url");
    if (config_.identity.driver != IdentityDriver::keystone) {
      missing("barbican needs identity.driver = keystone");
    }
  }

  // Which services there are, a Keystone's catalog can tell, and the built-in identity cannot.
  void check_cloud() {
    auto const& compute = config_.compute;
    auto const& volumes = config_.block_storage;
    bool const has_catalog = config_.identity.driver == IdentityDriver::keystone;
    if (compute.driver == ComputeDriver::nova && compute.endpoint.empty() && !has_catalog) {
      together("compute.driver", "nova needs compute.endpoint, or identity.driver = keystone");
    }
    if (volumes.driver == VolumesDriver::cinder && volumes.endpoint.empty() && !has_catalog) {
      together("block_storage.driver",
               "cinder needs block_storage.endpoint, or identity.driver = keystone");
    }
    if (volumes.backup != VolumesDriver::none && volumes.driver == VolumesDriver::none) {
      together("block_storage.backup", "cinder needs block_storage.driver = cinder");
    }
  }

  void check_keystone() {
    auto const& identity = config_.identity;
    auto const missing = [&](std::string_view reason) { together("identity.driver", reason); };
    if (identity.auth_url.empty()) missing("keystone needs auth_url");
    if (!identity.application_credential_id.empty()) {
      if (identity.application_credential_secret.empty()) {
        missing("application_credential_id needs application_credential_secret");
      }
      if (!identity.username.empty()) {
        missing("username and application_credential_id exclude each other");
      }
      return;
    }
    if (identity.username.empty()) missing("keystone needs username or application_credential_id");
    if (identity.password.empty() == identity.password_file.empty()) {
      missing("username needs either password or password_file");
    }
  }

  /// At the key when it was set, else at its section.
  void together(std::string const& key, std::string_view reason) {
    auto const set = places_.contains(key);
    fault(places_[set ? key : key.substr(0, key.rfind('.'))], key, reason);
  }

  void fault(std::string_view where, std::string_view key, std::string_view reason) {
    if (faults_.empty()) first_key_ = key;
    faults_.push_back(fmt::format("{}: {}: {}", where, key, reason));
  }

  Config config_;
  std::vector<Key> keys_{config_keys().begin(), config_keys().end()};
  /// Where a key was set, by full name, and where a section begins.
  std::map<std::string, std::string, std::less<>> places_;
  std::vector<std::string> faults_;
  std::string first_key_;
};

} // namespace

Settings environment_settings(char const* const* environment) {
  Settings settings;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    std::string_view const entry = *environment;
    auto const equals = entry.find('=');
    if (!entry.starts_with("VITRINE_") || equals == std::string_view::npos) continue;
    settings.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return settings;
}

Result<Config> load_config(std::optional<std::string> const& path, Settings const& environment,
                           Settings const& command_line) {
  Loader loader;
  if (path) loader.file(*path);
  loader.environment(environment);
  loader.command_line(command_line);
  loader.check_together();
  return loader.finish();
}

Result<> check_config(std::string const& path, Settings const& environment,
                      std::span<FileLook const> looks) {
  Loader loader;
  loader.file(path);
  loader.environment(environment);
  loader.files();
  loader.check_together();
  loader.contents(looks);
  TRY(loader.finish());
  return {};
}

Result<HostPort> parse_host_port(std::string_view text) {
  auto const wrong = [&] {
    return error(Fault::invalid_value, fmt::format("'{}' is not HOST:PORT, port 0 to 65535", text));
  };
  auto const colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong();
  auto host = text.substr(0, colon);
  auto const port = text.substr(colon + 1);
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 4) return wrong();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong();
  }
  auto const number = text::parse_int(port);
  if (!number || *number < 0 || *number > 65'535 || port.front() == '-') return wrong();
  return HostPort{std::string(host), static_cast<std::uint16_t>(*number)};
}

} // namespace vitrine::ops
