#include "app/house.hpp"

#include "api/ims/error_catalogue.hpp"
#include "api/kit/family.hpp"
#include "app/memory.hpp"
#include "jobs/kinds/capture_image.hpp"
#include "jobs/kinds/kinds.hpp"
#include "jobs/upkeep/upkeep.hpp"
#include "ops/log.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/jobs.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <thread>

namespace vitrine::app {
namespace {

using namespace std::chrono_literals;

void log_damaged(service::DamagedData const& data) {
  ops::log_error("image_data.damaged", {{"image", data.image.text},
                                        {"blob", data.blob.text},
                                        {"bytes", data.size_bytes},
                                        {"missing", !data.size_found_bytes},
                                        {"bytes_found", data.size_found_bytes.value_or(0)}});
}

void log_healed(service::HealedData const& data) {
  ops::log_warning(
      "image_data.healed",
      {{"blob", data.damaged.text}, {"by_blob", data.blob.text}, {"bytes", data.size_bytes}});
}

store::Blobs& opened(Stores const& stores, model::ImageStore const& store) {
  return *stores.blobs->all().at(store.key);
}

// The store is named where there are several.
std::string duty_for(std::string_view what, House const& house, model::ImageStore const& store) {
  return house.image_stores.several() ? fmt::format("{} of {}", what, store.name)
                                      : std::string(what);
}

// More than a store may bear of the clock of the machine, against that of the database.
bool is_off(store::DatabaseClock const& clock) {
  constexpr std::int64_t kOffMax_us = 5 * 60 * kMicrosecondsPerSecond;
  return std::abs(clock.now().us - SystemClock().now().us) > kOffMax_us;
}

cloud::CallOptions compute_options(ops::Config const& config) {
  return {.ca_file = config.compute.ca_file,
          .timeout = std::chrono::seconds(config.compute.timeout_seconds)};
}

cloud::CallOptions block_storage_options(ops::Config const& config) {
  return {.ca_file = config.block_storage.ca_file,
          .timeout = std::chrono::seconds(config.block_storage.timeout_seconds)};
}

} // namespace

service::Quotas quotas_of(ops::Config const& config, store::Database& database) {
  return {database,
          {config.quota.image, config.quota.image_shared, config.quota.image_member},
          {config.images.member_max}};
}

Result<service::OsVersions> os_versions_of(ops::Config const& config) {
  bool const open = config.images.os_version_policy == ops::OsVersionPolicy::open;
  auto const& file = config.images.os_versions_file;
  return service::OsVersions::load(open ? service::OsVersionPolicy::open
                                        : service::OsVersionPolicy::strict,
                                   file.empty() ? std::nullopt : std::optional(file));
}

House::House(ops::Config const& from, Stores const& stores, service::policy::Policy policy,
             service::OsVersions systems, ops::Metrics& measures)
    : config(from), ims(config.compat.profile == ops::Profile::ims), clock(*stores.clock),
      metrics(measures), access(std::move(policy),
                                [this](std::string_view action) {
                                  metrics.counter(ops::Metric::policy_denials, {action}).add();
                                }),
      identity(make_identity(config, stores, clock, access, metrics)),
      signed_requests(identity->access_keys(), *stores.database, clock,
                      {config.identity.login_attempts_max, config.identity.login_window_seconds},
                      config.spool.timeout_seconds),
      spools(*stores.spools),
      buckets(make_buckets(stores.directory, config, identity->object_store_keys())),
      quotas(quotas_of(config, *stores.database)),
      image_stores(image_stores_of(stores.directory, config)),
      images(*stores.database, access, quotas, clock,
             {.ims_profile = ims,
              .property_max = static_cast<std::size_t>(config.images.property_max),
              .tag_max = static_cast<std::size_t>(config.images.tag_max),
              .unique_names = config.images.unique_names,
              .quota_applies = config.quota.apply_to_native}),
      os_versions(std::move(systems)), encryption(*stores.keys, *stores.blobs),
      sharing(*stores.database, access, quotas, encryption, identity->projects(), clock, {ims}),
      tags(*stores.database, access, images),
      uploads(*stores.database, *stores.blobs, access, clock,
              {.size_bytes_max = config.images.size_bytes_max,
               .detects_disk_format = ims,
               .rules = {.allow_raw_mismatch = config.formats.allow_raw_mismatch},
               .digest_threads = std::max(2U, std::thread::hardware_concurrency()),
               .server = stores.server,
               .store = image_stores.by_default().key,
               .healed = log_healed}),
      copies(access, images, encryption, uploads, {config.images.copy_size_bytes_max}),
      downloads(*stores.database, encryption, access, log_damaged),
      imports(access, images, encryption, uploads, *buckets, clock),
      exports(access, encryption, *buckets, *stores.converter), captures(images),
      compute(compute_options(config)), block_storage(block_storage_options(config)),
      submitter(*stores.database, encryption, clock, bell),
      engine(*stores.database, clock, bell, kinds(*stores.database), metrics,
             {.workers = config.jobs.workers,
              .carriers = config.jobs.carriers,
              .lease_seconds = config.jobs.lease_seconds,
              .poll_seconds = config.jobs.poll_seconds,
              .alone = config.database.url.empty(),
              .may_carry = [this] { return !health.clock_is_wrong(); }}) {}

std::vector<jobs::JobKind> House::kinds(store::Database& database) {
  auto all =
      jobs::all_kinds({sharing, copies, imports, exports, encryption, uploads, database, *buckets});
  jobs::CaptureServices const services{
      .captures = captures,
      .mandates = identity->mandates(),
      .compute = compute,
      .volumes = block_storage,
      .backups = block_storage,
      .database = database,
      .options = {.require_stopped = config.compute.require_stopped,
                  .wait_seconds = config.compute.wait_seconds}};
  for (auto& kind : jobs::capture_kinds(services))
    all.push_back(std::move(kind));
  return all;
}

api::Services House::services() {
  return {clock,
          config,
          metrics,
          health,
          access,
          image_stores,
          images,
          os_versions,
          uploads,
          downloads,
          sharing,
          copies,
          imports,
          exports,
          captures,
          tags,
          quotas,
          submitter,
          identity->mandates(),
          identity->authenticator(),
          signed_requests,
          spools,
          identity->directory()};
}

std::string audit_file(ops::Config const& config, std::string const& directory) {
  return config.audit.file.empty() ? directory + "/audit.jsonl" : config.audit.file;
}

Result<std::unique_ptr<jobs::AuditExport>> open_audit(House& house, Stores const& stores,
                                                      std::string const& directory) {
  // Jobs are those of the extension; what fails without one the Image API answers.
  auto const reason = [](Fault fault, bool in_job) {
    auto const& entry = api::ims::entry(fault);
    auto const status = in_job ? entry.http : api::image_family.refuse(error(fault), {}).status;
    return jobs::AuditReason{status, entry.code};
  };
  auto opened = TRY(jobs::AuditExport::open(
      *stores.database, house.clock,
      {.path = audit_file(house.config, directory), .holder = stores.server, .reason = reason}));
  opened->count_into(house.metrics);
  return opened;
}

Result<> follow_clock(House& house, Stores const& stores) {
  bool const shared = !house.config.database.url.empty();
  return shared ? house.clock.follow(*stores.database) : Result<>();
}

Result<> look_at_database(House& house, Stores const& stores) {
  auto const began = ops::Health::Clock::now();
  auto const looked = [&]() -> Result<> {
    auto const open = TRY(stores.database->read_anew(
        [](store::Connection& connection) { return store::Jobs(connection).open_jobs(); }));
    house.metrics.gauge(ops::Metric::jobs_open).set(static_cast<double>(open.count));
    auto const age_us = open.oldest ? house.clock.now().us - open.oldest->us : 0;
    house.metrics.gauge(ops::Metric::jobs_oldest)
        .set(static_cast<double>(age_us) / static_cast<double>(kMicrosecondsPerSecond));
    return {};
  }();
  house.health.database_looked_at(looked.has_value(), began);
  if (!looked) return looked;
  return follow_clock(house, stores);
}

Result<> look_at_store(House& house, Stores const& stores, model::ImageStore const& store) {
  auto const began = ops::Health::Clock::now();
  bool const answers = opened(stores, store).look().has_value();
  auto const& known = house.image_stores;
  if (store.key == known.by_default().key) {
    house.health.store_looked_at(answers, began);
    house.health.clock_looked_at(answers || !is_off(house.clock));
  }
  if (known.several()) {
    house.metrics.gauge(ops::Metric::store_up, {store.name}).set(answers ? 1 : 0);
  }
  return {};
}

Result<> remove_strays(House& house, Stores const& stores, model::ImageStore const& store) {
  bool const own = store.key.empty() && house.config.storage.driver == ops::StorageDriver::file;
  auto const count = TRY(house.uploads.remove_strays(opened(stores, store),
                                                     own ? 0 : house.config.storage.stray_seconds));
  if (count > 0) ops::log_info("store.strays_removed", {{"store", store.name}, {"count", count}});
  return {};
}

Result<> tell_of_lost_stores(House& house, Stores const& stores) {
  auto const totals = TRY(stores.database->read(
      [](store::Connection& connection) { return store::BlobIndex(connection).totals(); }));
  for (auto const& total : totals) {
    if (house.image_stores.with_key(total.store) != nullptr) continue;
    ops::log_error("store.not_configured",
                   {{"store", total.store}, {"blobs", total.blobs}, {"bytes", total.size_bytes}});
  }
  return {};
}

OwnUpkeep::OwnUpkeep(House& house, Stores const& stores)
    : keep_uploads("uploads", std::chrono::seconds(service::Uploads::kTouchSeconds),
                   [&house] { return house.uploads.keep_alive(); }),
      look("health", 1s, [&stores, &house] { return look_at_database(house, stores); }),
      give_back(
          "memory", 5s,
          []() -> Result<> {
            give_memory_back();
            return {};
          },
          jobs::Periodic::AtEnd::no_more) {
  for (auto const& store : house.image_stores.all()) {
    look_at_stores.emplace_back(
        duty_for("store", house, store), 2s,
        [&stores, &house, &store] { return look_at_store(house, stores, store); },
        jobs::Periodic::AtEnd::no_more);
  }
}

SharedUpkeep::SharedUpkeep(House& house, Stores const& stores, jobs::AuditExport& audit)
    : remove_jobs("jobs", 3600s,
                  [&stores, &house]() -> Result<> {
                    TRY(jobs::remove_old_jobs(*stores.database, house.clock,
                                              house.config.jobs.retention_days));
                    return {};
                  }),
      forget_signatures("signatures", 60s,
                        [&stores, &house]() -> Result<> {
                          TRY(jobs::forget_used_signatures(*stores.database, house.clock));
                          return {};
                        }),
      export_audit("audit", 250ms, [&audit] { return audit.export_pending(); }) {
  for (auto const& store : house.image_stores.all()) {
    remove_bytes.emplace_back(
        duty_for("blobs", house, store), 2s, // often: who deletes may wait for room on a full disk
        [&stores, &house, &store]() -> Result<> {
          TRY(jobs::remove_unused_blobs(*stores.database, opened(stores, store), store.key,
                                        house.clock));
          return {};
        });
    sweep.emplace_back(
        duty_for("strays", house, store), std::chrono::seconds(house.config.storage.sweep_seconds),
        [&stores, &house, &store] { return remove_strays(house, stores, store); },
        jobs::Periodic::AtEnd::no_more);
  }
}

} // namespace vitrine::app
