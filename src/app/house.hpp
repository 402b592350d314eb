// What one server is made of: the stores of a directory, the services over them, the workers.
#pragma once

#include "api/kit/services.hpp"
#include "app/identity.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "jobs/engine/bell.hpp"
#include "jobs/engine/engine.hpp"
#include "jobs/submit.hpp"
#include "jobs/upkeep/audit_export.hpp"
#include "jobs/upkeep/periodic.hpp"
#include "ops/config.hpp"
#include "ops/health.hpp"
#include "ops/metrics.hpp"
#include "service/access.hpp"
#include "service/downloads.hpp"
#include "service/images.hpp"
#include "service/quotas.hpp"
#include "service/sharing.hpp"
#include "service/uploads.hpp"
#include "store/blobs/blobs.hpp"
#include "store/metadata/database.hpp"
#include "store/metadata/postgres/postgres_connection.hpp"

#include <memory>
#include <string>
#include <utility>

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

/// What is kept: in one directory, but for a database or image data elsewhere.
struct Stores {
  DirectoryLock lock;
  std::unique_ptr<store::Database> database;
  std::unique_ptr<store::Blobs> blobs;

  std::string server; ///< an id that stays with the directory

  /// `metrics` must outlive them. Errors: `unavailable` with the reason.
  static Result<Stores> open(std::string const& directory, ops::Config const& config,
                             ops::Metrics& metrics);
};

/// How to connect to the PostgreSQL that the configuration names.
store::postgres::ConnectionOptions postgres_options(ops::DatabaseConfig const& config);

/// The database that the configuration names, in `directory` when it names none; its schema is
/// brought up to date. Errors: `unavailable` with the reason.
Result<std::unique_ptr<store::Database>> open_database(std::string const& directory,
                                                       ops::DatabaseConfig const& config);

/// Where the configuration keeps image data, below `directory` when that is in files. Errors:
/// `unavailable` with the reason.
Result<std::unique_ptr<store::Blobs>> open_blobs(std::string const& directory,
                                                 ops::Config const& config);

/// The services with the workers, in the order in which they need each other.
struct House {
  /// `from`, `stores` and `measures` must outlive it.
  House(ops::Config const& from, Stores const& stores, service::policy::Policy policy,
        ops::Metrics& measures);

  api::Services services();

  ops::Config const& config;
  bool const ims;
  SystemClock const clock;
  ops::Metrics& metrics;
  ops::Health health;
  service::Access access;
  std::unique_ptr<Identity> const identity;
  service::Quotas quotas;
  service::Images images;
  service::Sharing sharing;
  service::Uploads uploads;
  service::Downloads downloads;
  jobs::Bell bell;
  jobs::Submitter submitter;
  jobs::Engine engine;
};

/// Opens the file that the audit events of `stores` go to; of `directory` when none is configured.
Result<std::unique_ptr<jobs::AuditExport>> open_audit(House& house, Stores const& stores,
                                                      std::string const& directory);

/// Tells `house.health` whether the database can be read.
Result<> look_at_database(House& house, Stores const& stores);
/// Tells `house.health` whether the store of image data can be used; never an error.
Result<> look_at_store(House& house, Stores const& stores);
/// Removes image data that is nobody's: at once from a directory, which is this server's own, after
/// `storage.stray_seconds` from a bucket.
Result<> remove_strays(House& house);

/// What is done again and again while the server runs.
struct Upkeep {
  Upkeep(House& house, Stores const& stores, jobs::AuditExport& audit);

  jobs::Periodic remove_bytes;
  jobs::Periodic keep_uploads;
  jobs::Periodic sweep;
  jobs::Periodic remove_jobs;
  jobs::Periodic look;
  jobs::Periodic look_at_blobs;
  jobs::Periodic export_audit; ///< ends last of all workers: it exports once more
};

} // namespace vitrine::app
