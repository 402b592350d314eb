// What one server is made of over its stores: the services and the workers.
#pragma once

#include "api/kit/services.hpp"
#include "app/identity.hpp"
#include "app/stores.hpp"
#include "base/result.hpp"
#include "cloud/cinder/cinder.hpp"
#include "cloud/nova/nova.hpp"
#include "identity/signed_requests.hpp"
#include "jobs/engine/bell.hpp"
#include "jobs/engine/engine.hpp"
#include "jobs/submit.hpp"
#include "jobs/upkeep/audit_export.hpp"
#include "jobs/upkeep/periodic.hpp"
#include "ops/config.hpp"
#include "ops/health.hpp"
#include "ops/metrics.hpp"
#include "service/access.hpp"
#include "service/captures.hpp"
#include "service/copies.hpp"
#include "service/downloads.hpp"
#include "service/encryption.hpp"
#include "service/exports.hpp"
#include "service/images.hpp"
#include "service/imports.hpp"
#include "service/os_versions/os_versions.hpp"
#include "service/quotas.hpp"
#include "service/sharing.hpp"
#include "service/tags.hpp"
#include "service/uploads.hpp"
#include "store/metadata/database_clock.hpp"

#include <list>
#include <memory>
#include <string>
#include <vector>

namespace vitrine::app {

/// The limits of projects as configured; `database` must outlive them.
service::Quotas quotas_of(ops::Config const& config, store::Database& database);

/// The operating systems that clients may name. Error: `invalid_value`, with file and line.
Result<service::OsVersions> os_versions_of(ops::Config const& config);

/// The services with the workers, in the order in which they need each other.
struct House {
  /// `from`, `stores` and `measures` must outlive it.
  House(ops::Config const& from, Stores const& stores, service::policy::Policy policy,
        service::OsVersions systems, ops::Metrics& measures);

  api::Services services();
  /// All kinds of jobs; for its engine.
  std::vector<jobs::JobKind> kinds(store::Database& database);

  ops::Config const& config;
  bool const ims;
  store::DatabaseClock& clock;
  ops::Metrics& metrics;
  ops::Health health;
  service::Access access;
  std::unique_ptr<Identity> const identity;
  identity::SignedRequests signed_requests;
  api::Spools& spools;
  std::unique_ptr<store::Buckets> const buckets;
  service::Quotas quotas;
  model::ImageStores const image_stores;
  service::Images images;
  service::OsVersions const os_versions;
  service::Encryption encryption;
  service::Sharing sharing;
  service::Tags tags;
  service::Uploads uploads;
  service::Copies copies;
  service::Downloads downloads;
  service::Imports imports;
  service::Exports exports;
  service::Captures captures;
  cloud::Nova compute;
  cloud::Cinder block_storage;
  jobs::Bell bell;
  jobs::Submitter submitter;
  jobs::Engine engine;
};

/// The file that audit events go to; of `directory` when none is configured.
std::string audit_file(ops::Config const& config, std::string const& directory);
/// Opens it for the events of `stores`.
Result<std::unique_ptr<jobs::AuditExport>> open_audit(House& house, Stores const& stores,
                                                      std::string const& directory);

/// Sets the clock by a database that servers share. Error: `unavailable`.
Result<> follow_clock(House& house, Stores const& stores);
/// Tells `house.health` whether the database can be read, and follows its clock.
Result<> look_at_database(House& house, Stores const& stores);
/// Tells whether a store of image data can be used: `house.health` of the one for uploads that name
/// none, the metrics of each where there are several. Never an error.
Result<> look_at_store(House& house, Stores const& stores, model::ImageStore const& store);
/// Removes image data in a store that is nobody's: at once from the directory of the server, which
/// came with its database, after `storage.stray_seconds` from any other place.
Result<> remove_strays(House& house, Stores const& stores, model::ImageStore const& store);
/// Logs which stores hold data of images and are not configured.
Result<> tell_of_lost_stores(House& house, Stores const& stores);

/// What each server does again and again while it runs: for its own uploads and its health.
struct OwnUpkeep {
  OwnUpkeep(House& house, Stores const& stores);

  jobs::Periodic keep_uploads;
  jobs::Periodic look;
  std::list<jobs::Periodic> look_at_stores; ///< each by itself: one that hangs is no other's matter
  jobs::Periodic give_back;
};

/// What one server of those that share a database does for all of them; not of role `api`.
struct SharedUpkeep {
  SharedUpkeep(House& house, Stores const& stores, jobs::AuditExport& audit);

  std::list<jobs::Periodic> remove_bytes; ///< of each store
  std::list<jobs::Periodic> sweep;        ///< each store
  jobs::Periodic remove_jobs;
  jobs::Periodic forget_signatures;
  jobs::Periodic export_audit; ///< ends last of all workers: it exports once more
};

} // namespace vitrine::app
