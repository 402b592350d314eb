#include "app/stores.hpp"

#include "app/identity.hpp"
#include "ops/log.hpp"
#include "service/store_places.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/blobs/proven_blobs.hpp"
#include "store/blobs/s3/s3_blobs.hpp"
#include "store/blobs/timed_blobs.hpp"
#include "store/buckets/directory/directory_buckets.hpp"
#include "store/buckets/no_buckets.hpp"
#include "store/buckets/s3/s3_buckets.hpp"
#include "store/keys/barbican/barbican.hpp"
#include "store/keys/builtin/keyring.hpp"
#include "store/keys/no_keys.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/copy_rows.hpp"
#include "store/metadata/image_keys.hpp"
#include "store/metadata/postgres/postgres_database.hpp"
#include "store/metadata/sqlite/sqlite_database.hpp"
#include "store/metadata/timed_database.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sys/file.h>
#include <unistd.h>

namespace vitrine::app {
namespace {

constexpr char const* kBlobsFolder = "/blobs"; // of the first store, when it is of files

/// Of the section for image data or of that for the buckets of the users.
template <class Section>
store::s3::ServerOptions server_options(Section const& from) {
  return {.endpoint = from.endpoint,
          .region = from.region,
          .bucket_in_host = from.addressing == ops::Addressing::host,
          .ca_file = from.ca_file,
          .timeout = std::chrono::seconds(from.timeout_seconds)};
}

store::s3::Options s3_options(ops::S3Config const& from) {
  return {.server = server_options(from),
          .keys = {from.access_key, from.access_key_file, from.secret_key, from.secret_key_file},
          .bucket = from.bucket,
          .prefix = from.prefix,
          .part_bytes = static_cast<std::size_t>(from.part_size_mib) << 20U};
}

store::s3::BucketsOptions buckets_options(ops::BucketsConfig const& from) {
  store::s3::BucketsOptions to{.server = server_options(from),
                               .part_bytes = static_cast<std::size_t>(from.part_size_mib) << 20U};
  if (!from.access_key.empty() || !from.access_key_file.empty()) {
    to.keys = store::s3::Keys{from.access_key, from.access_key_file, from.secret_key,
                              from.secret_key_file};
  }
  for (auto const& pair : from.allow) {
    auto const colon = pair.find(':');
    to.allowed.emplace(ProjectId{pair.substr(0, colon)}, pair.substr(colon + 1));
  }
  return to;
}

/// The store of [storage], in the form of the further ones.
ops::StoreConfig first_store(std::string const& directory, ops::Config const& config) {
  return {.driver = config.storage.driver,
          .description = config.storage.description,
          .directory = directory + kBlobsFolder,
          .s3 = config.s3};
}

model::ImageStore described(std::string key, std::string name, ops::StoreConfig const& store) {
  bool const in_files = store.driver == ops::StorageDriver::file;
  return {.key = std::move(key),
          .name = std::move(name),
          .description = store.description,
          .driver = in_files ? "file" : "s3",
          .directory = store.directory,
          .part_size_mib = store.s3.part_size_mib};
}

struct OpenedStore {
  std::unique_ptr<store::Blobs> blobs;
  store::PlaceMark* place{nullptr}; ///< of the same
};

template <class Driver>
OpenedStore opened_as(std::unique_ptr<Driver> driver) {
  auto* const place = driver.get();
  return {std::move(driver), place};
}

Result<OpenedStore> open_driver(ops::StoreConfig const& store) {
  if (store.driver == ops::StorageDriver::s3) {
    return opened_as(TRY(store::s3::S3Blobs::open(s3_options(store.s3))));
  }
  return opened_as(TRY(store::FilesystemBlobs::open(store.directory)));
}

Result<std::unique_ptr<store::Blobs>> open_store(ops::StoreConfig const& store) {
  return std::move(TRY(open_driver(store)).blobs);
}

std::string place_of(ops::StoreConfig const& store) {
  if (store.driver == ops::StorageDriver::file) return store.directory;
  return fmt::format("bucket {}, prefix '{}'", store.s3.bucket, store.s3.prefix);
}

/// Refuses a place that is not the one of the rows (docs/decisions/0037-whose-place.md); one that
/// does not answer is judged before it is used. Error: `unavailable` with the reason.
Result<std::unique_ptr<store::Blobs>>
open_proven(ops::StoreConfig const& store, std::string const& key, store::Database& database) {
  auto opened = TRY(open_driver(store));
  auto const why = [&database, blobs = opened.blobs.get(), place = opened.place, key] {
    return service::why_misplaced(database, *blobs, *place, key);
  };
  auto const where = place_of(store);
  if (auto const known = why(); known && *known) {
    return error(Fault::unavailable, fmt::format("{}: {}", where, **known));
  }
  auto const prove = [why, where]() -> Result<> {
    auto const reason = TRY(why());
    if (!reason) return {};
    ops::log_error("store.misplaced", {{"place", where}, {"detail", *reason}});
    return error(Fault::unavailable, "The image store is not the one of this database.");
  };
  return std::make_unique<store::ProvenBlobs>(std::move(opened.blobs), prove);
}

/// Each directory is one server's, or its sweeper would remove what the other stores.
Result<> lock_further(std::string const& directory, ops::Config const& config,
                      std::vector<DirectoryLock>& locks) {
  for (auto const& [name, store] : config.stores) {
    if (store.driver != ops::StorageDriver::file) continue;
    std::error_code failed;
    if (std::filesystem::equivalent(store.directory, directory + kBlobsFolder, failed)) {
      return error(Fault::unavailable,
                   fmt::format("store.{} keeps image data in the place of the first store", name));
    }
    locks.push_back(TRY(DirectoryLock::take(store.directory)));
  }
  return {};
}

Error failed_to(std::string_view what, std::string const& path) {
  return error(Fault::unavailable,
               fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

// Kept in a file, so that a server finds what it claimed, or left behind, when it was killed.
Result<std::string> server_id(std::string const& directory) {
  auto const path = directory + "/server-id";
  std::string id;
  if (std::ifstream(path) >> id && is_job_id(id)) return id; // of the same form
  id = new_hex_id();
  std::ofstream file(path);
  file << id << "\n";
  if (!file.flush()) return failed_to("write", path);
  return id;
}

/// What `automatic` stands for.
ops::KeysDriver keys_driver(ops::Config const& config) {
  using Driver = ops::KeysDriver;
  if (config.keys.driver != Driver::automatic) return config.keys.driver;
  // Each of several servers would make keys that the others do not have.
  bool const alone = config.database.url.empty() || !config.keys.file.empty();
  return alone ? Driver::builtin : Driver::none;
}

std::string keyring_file(std::string const& directory, ops::Config const& config) {
  return config.keys.file.empty() ? directory + "/keyring" : config.keys.file;
}

/// With an empty keyring the server would make new keys, which looks as if all were well, while
/// nobody could read what is encrypted with the old ones.
Result<> check_keyring(std::string const& directory, ops::Config const& config,
                       store::KeyService& keys, store::Database& database) {
  if (keys_driver(config) != ops::KeysDriver::builtin || !TRY(keys.list()).empty()) return {};
  auto const images = TRY(database.read(
      [](store::Connection& connection) { return store::ImageKeys(connection).count(); }));
  if (images == 0) return {};
  return error(Fault::unavailable,
               fmt::format("{} images are encrypted, but the keyring {} is missing or empty: put "
                           "back the one with their keys, or say where it is with keys.file. If it "
                           "is lost for good, `vitrine keys create NAME` makes another, without "
                           "which nothing starts; the data of those images stays unreadable",
                           images, keyring_file(directory, config)));
}

/// Beside a service in its directory an empty database is one that it was to move to: a server on
/// it would begin anew, and remove image data that it knows nothing of.
Result<> check_moved(std::string const& directory, ops::Config const& config,
                     store::Database& database) {
  if (config.database.url.empty() || !TRY(holds_service(directory))) return {};
  auto const empty = store::check_empty(database);
  if (!empty) return empty.error().fault == Fault::conflict ? Result<>() : empty;
  return error(Fault::unavailable,
               fmt::format("{0} holds a service, and the database is empty: `vitrine db move "
                           "--standalone {0}` carries it there; to begin anew, take "
                           "{0}/vitrine.db away",
                           directory));
}

} // namespace

store::postgres::ConnectionOptions postgres_options(ops::DatabaseConfig const& config) {
  return {.url = config.url,
          .connect_timeout = std::chrono::seconds(config.connect_timeout_seconds),
          .prepared_statements = config.prepared_statements};
}

Result<DirectoryLock> DirectoryLock::take(std::string const& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return error(Fault::unavailable, directory + ": " + failed.message());
  auto const path = directory + "/lock";
  int const descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return failed_to("open", path);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return error(Fault::unavailable, "another server works on " + directory);
  }
  return DirectoryLock(descriptor);
}

Result<bool> holds_service(std::string const& directory) {
  std::error_code failed;
  bool const is_there = std::filesystem::exists(directory + "/vitrine.db", failed);
  if (failed) {
    return error(Fault::unavailable,
                 fmt::format("cannot look into {}: {}", directory, failed.message()));
  }
  return is_there;
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::unique_ptr<store::Database>> open_database(std::string const& directory,
                                                       ops::DatabaseConfig const& config) {
  if (config.url.empty())
    return TRY(store::sqlite::SqliteDatabase::open(directory + "/vitrine.db"));
  return TRY(store::postgres::PostgresDatabase::open(
      {.connection = postgres_options(config), .pool_size = config.pool_size}));
}

model::ImageStores image_stores_of(std::string const& directory, ops::Config const& config) {
  auto const& name = config.storage.name;
  std::vector<model::ImageStore> stores{described({}, name, first_store(directory, config))};
  for (auto const& [further, store] : config.stores)
    stores.push_back(described(further, further, store));
  auto const& chosen = config.storage.default_store;
  return {std::move(stores), chosen.empty() ? name : chosen};
}

Result<> check_mounted(std::string const& directory, ops::Config const& config,
                       store::Database& database) {
  auto stores = config.stores;
  stores.emplace(std::string(), first_store(directory, config));
  std::map<std::string, std::string> bare; // directories by key
  for (auto const& [key, store] : stores) {
    bool const in_files = store.driver == ops::StorageDriver::file;
    if (in_files && !TRY(store::FilesystemBlobs::is_made(store.directory))) {
      bare.emplace(key, store.directory);
    }
  }
  if (bare.empty()) return {};
  auto const totals = TRY(database.read(
      [](store::Connection& connection) { return store::BlobIndex(connection).totals(); }));
  for (auto const& total : totals) {
    auto const at = bare.find(total.store);
    if (at == bare.end()) continue;
    return error(Fault::unavailable,
                 fmt::format("{} should have {} blobs and has none: mount the volume that they are "
                             "on. If they are lost for good, make the directory with an empty file "
                             "{} in it",
                             at->second, total.blobs, store::PlaceMark::kName));
  }
  return {};
}

Result<> check_marks(std::string const& directory, ops::Config const& config,
                     store::Database& database) {
  std::vector stores{first_store(directory, config)};
  for (auto const& [name, store] : config.stores)
    stores.push_back(store);
  for (auto const& store : stores) {
    auto const opened = TRY(open_driver(store));
    auto const why = TRY(service::why_of_another(database, *opened.place));
    if (why) return error(Fault::unavailable, fmt::format("{}: {}", place_of(store), *why));
  }
  return {};
}

Result<std::unique_ptr<store::Blobs>> open_first_store(std::string const& directory,
                                                       ops::Config const& config) {
  return open_store(first_store(directory, config));
}

Result<std::unique_ptr<store::BlobStores>> open_blobs(std::string const& directory,
                                                      ops::Config const& config,
                                                      store::Database* database,
                                                      ops::Metrics* metrics) {
  store::BlobStores::ByKey stores;
  bool const several = !config.stores.empty();
  auto const add = [&](std::string const& key, std::string const& name,
                       std::unique_ptr<store::Blobs> store) {
    if (metrics != nullptr) {
      store = std::make_unique<store::TimedBlobs>(std::move(store), *metrics,
                                                  several ? name : std::string());
    }
    stores.emplace(key, std::move(store));
  };
  auto const open = [&](ops::StoreConfig const& store, std::string const& key) {
    return database == nullptr ? open_store(store) : open_proven(store, key, *database);
  };
  add({}, config.storage.name, TRY(open(first_store(directory, config), {})));
  for (auto const& [name, store] : config.stores)
    add(name, name, TRY(open(store, name)));
  return std::make_unique<store::BlobStores>(std::move(stores));
}

ops::BucketsDriver buckets_driver(ops::Config const& config) {
  using Driver = ops::BucketsDriver;
  if (config.buckets.driver != Driver::automatic) return config.buckets.driver;
  return config.storage.driver == ops::StorageDriver::file ? Driver::directory : Driver::none;
}

std::unique_ptr<store::Buckets>
make_buckets(std::string const& directory, ops::Config const& config, model::ObjectStoreKeys* own) {
  using Driver = ops::BucketsDriver;
  auto const driver = buckets_driver(config);
  if (driver == Driver::directory) {
    return std::make_unique<store::DirectoryBuckets>(directory + "/buckets");
  }
  if (driver == Driver::s3) {
    return std::make_unique<store::s3::S3Buckets>(buckets_options(config.buckets), own);
  }
  return std::make_unique<store::NoBuckets>();
}

Result<std::unique_ptr<convert::Converter>> open_converter(std::string const& directory,
                                                           ops::Config const& config) {
  auto const& from = config.convert;
  return TRY(convert::Converter::open(
      {.directory = from.directory.empty() ? directory + "/convert" : from.directory,
       .qemu_img = from.qemu_img,
       .time = std::chrono::seconds(from.timeout_seconds),
       .memory_bytes = static_cast<std::uint64_t>(from.memory_mib) << 20U,
       .parallel = from.parallel,
       .disk_bytes_max = static_cast<std::uint64_t>(config.images.size_bytes_max),
       .rules = {.allow_raw_mismatch = config.formats.allow_raw_mismatch},
       .sandbox = {},
       .unusable = [](std::string_view why) {
         ops::log_warning("convert.qemu_img_unusable", {{"detail", why}});
       }}));
}

Result<std::unique_ptr<api::Spools>> open_spools(std::string const& directory,
                                                 ops::Config const& config) {
  auto const& from = config.spool;
  return TRY(api::Spools::open({.directory = from.directory.empty() ? directory : from.directory,
                                .size_bytes_max = static_cast<std::uint64_t>(from.size_bytes_max),
                                .total_bytes_max = static_cast<std::uint64_t>(from.total_bytes_max),
                                .time = std::chrono::seconds(from.timeout_seconds)}));
}

Result<std::unique_ptr<store::KeyService>>
open_keys(std::string const& directory, ops::Config const& config, Clock const& clock) {
  auto const& from = config.keys;
  auto const driver = keys_driver(config);
  if (driver == ops::KeysDriver::none) return std::make_unique<store::NoKeys>();
  if (driver == ops::KeysDriver::barbican) {
    return std::make_unique<store::Barbican>(
        store::BarbicanOptions{.url = from.url,
                               .ca_file = from.ca_file,
                               .timeout = std::chrono::seconds(from.timeout_seconds),
                               .cache = std::chrono::seconds(from.cache_seconds)},
        service_tokens(config.identity, clock), clock);
  }
  return TRY(store::Keyring::open(keyring_file(directory, config), clock));
}

Result<Stores> Stores::open(std::string const& directory, ops::Config const& config,
                            ops::Metrics& metrics) {
  std::vector<DirectoryLock> locks;
  locks.push_back(TRY(DirectoryLock::take(directory)));
  auto server = TRY(server_id(directory));
  auto opened = TRY(open_database(directory, config.database));
  TRY(check_moved(directory, config, *opened));
  auto database = std::make_unique<store::TimedDatabase>(std::move(opened), metrics);
  TRY(check_mounted(directory, config, *database));
  TRY(lock_further(directory, config, locks));
  auto blobs = TRY(open_blobs(directory, config, database.get(), &metrics));
  auto converter = TRY(open_converter(directory, config));
  auto spools = TRY(open_spools(directory, config));
  auto clock = std::make_unique<store::DatabaseClock>();
  if (!config.database.url.empty()) TRY(clock->follow(*database));
  auto keys = TRY(open_keys(directory, config, *clock));
  TRY(check_keyring(directory, config, *keys, *database));
  return Stores{std::move(locks),  std::move(database), std::move(clock),
                std::move(blobs),  std::move(keys),     std::move(converter),
                std::move(spools), std::move(server),   directory};
}

} // namespace vitrine::app
