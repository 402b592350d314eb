// What a server keeps: rows and image data, in one directory or elsewhere.
#pragma once

#include "api/kit/spools.hpp"
#include "base/result.hpp"
#include "convert/converter.hpp"
#include "model/image_stores.hpp"
#include "model/object_store_keys.hpp"
#include "ops/config.hpp"
#include "ops/metrics.hpp"
#include "store/blobs/blob_stores.hpp"
#include "store/buckets/buckets.hpp"
#include "store/keys/key_service.hpp"
#include "store/metadata/database.hpp"
#include "store/metadata/database_clock.hpp"
#include "store/metadata/postgres/postgres_connection.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vitrine::app {

/// Holds DIR/lock while the process lives, so that two servers never work on one directory.
class DirectoryLock {
public:
  /// Makes the directory when it is not there. Errors: `unavailable` with the reason.
  static Result<DirectoryLock> take(std::string const& directory);
  DirectoryLock(DirectoryLock&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Whether the rows of a service are in `directory`. Errors: `unavailable` with the reason, as
/// where it may not be looked into.
Result<bool> holds_service(std::string const& directory);

/// What is kept: in one directory, but for a database or image data elsewhere.
struct Stores {
  std::vector<DirectoryLock> locks; ///< of the directory and of the further stores that are files
  std::unique_ptr<store::Database> database;
  std::unique_ptr<store::DatabaseClock> clock; ///< of the database, where servers share it
  std::unique_ptr<store::BlobStores> blobs;
  std::unique_ptr<store::KeyService> keys;
  std::unique_ptr<convert::Converter> converter; ///< a place for image data on its way out
  std::unique_ptr<api::Spools> spools;           ///< and for what may not come in yet

  std::string server;    ///< an id that stays with the directory
  std::string directory; ///< what is not elsewhere is here

  /// `metrics` must outlive them. Errors: `unavailable` with the reason.
  static Result<Stores> open(std::string const& directory, ops::Config const& config,
                             ops::Metrics& metrics);
};

/// Converts in the directory that the configuration names, else in `directory`, where what an
/// earlier process left is removed. Errors: `unavailable` with the reason.
Result<std::unique_ptr<convert::Converter>> open_converter(std::string const& directory,
                                                           ops::Config const& config);

/// In the directory that the configuration names, else in `directory`. Errors: `unavailable` with
/// the reason.
Result<std::unique_ptr<api::Spools>> open_spools(std::string const& directory,
                                                 ops::Config const& config);

/// How to connect to the PostgreSQL that the configuration names.
store::postgres::ConnectionOptions postgres_options(ops::DatabaseConfig const& config);

/// The database that the configuration names, in `directory` when it names none; its schema is
/// brought up to date. Errors: `unavailable` with the reason.
Result<std::unique_ptr<store::Database>> open_database(std::string const& directory,
                                                       ops::DatabaseConfig const& config);

/// The stores of image data that the configuration names; the first is below `directory` when it is
/// of files.
model::ImageStores image_stores_of(std::string const& directory, ops::Config const& config);

/// Refuses a directory of image data without any, while rows say that data is there: it lies below
/// that of a volume which is not mounted. Nothing is written. Errors: `unavailable` with the
/// reason.
Result<> check_mounted(std::string const& directory, ops::Config const& config,
                       store::Database& database);

/// Refuses places with the mark of another database. Errors: `unavailable` with the reason.
Result<> check_marks(std::string const& directory, ops::Config const& config,
                     store::Database& database);

/// Opens them; they are measured when there are `metrics`. With a database, which must outlive
/// them, a place that is not the one of its rows is refused, at once or when it answers. Errors:
/// `unavailable` with the reason.
Result<std::unique_ptr<store::BlobStores>> open_blobs(std::string const& directory,
                                                      ops::Config const& config,
                                                      store::Database* database,
                                                      ops::Metrics* metrics);

/// Opens the first of them alone.
Result<std::unique_ptr<store::Blobs>> open_first_store(std::string const& directory,
                                                       ops::Config const& config);

/// What `automatic` stands for.
ops::BucketsDriver buckets_driver(ops::Config const& config);
/// The buckets of the users, below `directory` when they are directories. `own` knows the keys of
/// the users, null when nobody does; it must outlive them.
std::unique_ptr<store::Buckets>
make_buckets(std::string const& directory, ops::Config const& config, model::ObjectStoreKeys* own);
/// The keys that the configuration names, below `directory` when it names no file; `clock` must
/// outlive them. Errors: `unavailable` with the reason.
Result<std::unique_ptr<store::KeyService>> open_keys(std::string const& directory,
                                                     ops::Config const& config, Clock const& clock);

} // namespace vitrine::app
