#include "app/serve.hpp"

#include "api/endpoints.hpp"
#include "api/ims/error_catalogue.hpp"
#include "api/kit/dispatcher.hpp"
#include "app/figures.hpp"
#include "identity/builtin/bootstrap.hpp"
#include "identity/builtin/directory.hpp"
#include "jobs/engine/bell.hpp"
#include "jobs/engine/engine.hpp"
#include "jobs/kinds/kinds.hpp"
#include "jobs/submit.hpp"
#include "jobs/upkeep/audit_export.hpp"
#include "jobs/upkeep/periodic.hpp"
#include "jobs/upkeep/upkeep.hpp"
#include "net/server.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "service/downloads.hpp"
#include "service/images.hpp"
#include "service/quotas.hpp"
#include "service/sharing.hpp"
#include "service/uploads.hpp"
#include "store/blobs/filesystem/filesystem_blobs.hpp"
#include "store/metadata/sqlite/sqlite_database.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

namespace vitrine::app {
namespace {

using namespace std::chrono_literals;

// Holds DIR/lock while the process lives, so that two servers never work on one directory.
class DirectoryLock {
public:
  static Result<DirectoryLock> take(std::string const& directory) {
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);
    if (failed) return error(Fault::unavailable, directory + ": " + failed.message());
    auto const path = directory + "/lock";
    int const descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return error(Fault::unavailable, "cannot open " + path);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      ::close(descriptor);
      return error(Fault::unavailable, "another server works on " + directory);
    }
    return DirectoryLock(descriptor);
  }
  DirectoryLock(DirectoryLock&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

net::ServerOptions server_options(ops::Config const& config, std::string host, std::uint16_t port) {
  auto const& from = config.server;
  net::ServerOptions to;
  to.host = std::move(host);
  to.port = port;
  to.certificate_file = from.certificate_file;
  to.key_file = from.key_file;
  to.io_threads = static_cast<unsigned>(from.io_threads);
  to.api_threads = static_cast<unsigned>(from.api_threads);
  to.transfer_threads = static_cast<unsigned>(from.transfer_threads);
  to.api_queue_max = static_cast<std::size_t>(from.queue_max);
  to.connections_max = static_cast<std::size_t>(from.connections_max);
  to.idle_timeout = std::chrono::seconds(from.idle_timeout_seconds);
  to.head_timeout = std::chrono::seconds(from.head_timeout_seconds);
  to.body_timeout = std::chrono::seconds(from.body_timeout_seconds);
  to.body_bytes_per_second_min = static_cast<std::uint64_t>(from.body_bytes_per_second_min);
  return to;
}

identity::builtin::Options identity_options(ops::Config const& config) {
  identity::builtin::Options options;
  options.token_lifetime_seconds = config.identity.token_lifetime_seconds;
  options.token_cache_seconds = config.identity.token_cache_seconds;
  options.login_limits = {config.identity.login_attempts_max, config.identity.login_window_seconds};
  options.password_cost = {config.identity.password_passes, config.identity.password_memory_kib};
  options.role_aliases = config.policy.role_aliases;
  return options;
}

// SIGHUP calls `reload`; returns on SIGTERM or SIGINT.
void wait_for_end(sigset_t const& signals, std::function<void()> const& reload) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) return;
    reload();
  }
}

void log_served(api::Served const& served) {
  ops::log_info("request", {{"method", served.head.method},
                            {"path", served.head.target.substr(0, served.head.target.find('?'))},
                            {"status", served.status},
                            {"microseconds", served.microseconds},
                            {"request_id", served.request_id}});
}

std::string url_of(ops::Config const& config, std::string const& host, std::uint16_t port) {
  bool const v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}:{}", config.server.certificate_file.empty() ? "http" : "https",
                     v6 ? "[" + host + "]" : host, port);
}

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int const signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before any thread starts: they inherit it
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

Result<service::policy::Policy> load_policy(ops::Config const& config) {
  auto const& file = config.policy.file;
  return service::policy::Policy::load(service::policy::defaults(),
                                       file.empty() ? std::nullopt : std::optional(file));
}

// What one directory holds.
struct Stores {
  DirectoryLock lock;
  std::unique_ptr<store::Database> database;
  std::unique_ptr<store::Blobs> blobs;

  static Result<Stores> open(std::string const& directory) {
    auto lock = TRY(DirectoryLock::take(directory));
    auto database = TRY(store::sqlite::SqliteDatabase::open(directory + "/vitrine.db"));
    auto blobs = TRY(store::FilesystemBlobs::open(directory + "/blobs"));
    return Stores{std::move(lock), std::move(database), std::move(blobs)};
  }
};

// The services with the workers, in the order in which they need each other.
struct House {
  House(ops::Config const& from, Stores const& stores, service::policy::Policy const& policy)
      : config(from), ims(config.compat.profile == ops::Profile::ims), access(policy),
        directory(*stores.database, clock, identity_options(config)),
        images(*stores.database, access, clock,
               {.ims_profile = ims,
                .property_max = static_cast<std::size_t>(config.images.property_max),
                .tag_max = static_cast<std::size_t>(config.images.tag_max)}),
        quotas(*stores.database,
               {config.quota.image, config.quota.image_shared, config.quota.image_member}),
        sharing(*stores.database, access, quotas, directory.projects(), clock,
                {ims, config.images.member_max}),
        uploads(*stores.database, *stores.blobs, access, clock,
                {.size_bytes_max = config.images.size_bytes_max,
                 .detects_disk_format = ims,
                 .rules = {.allow_raw_mismatch = config.formats.allow_raw_mismatch},
                 .digest_threads = std::max(2U, std::thread::hardware_concurrency())}),
        downloads(*stores.database, *stores.blobs, access),
        submitter(*stores.database, clock, bell),
        engine(*stores.database, clock, bell, jobs::all_kinds({sharing}), metrics,
               {.workers = config.jobs.workers,
                .lease_seconds = config.jobs.lease_seconds,
                .poll_seconds = config.jobs.poll_seconds}) {}

  api::Services services() {
    return {clock,
            config,
            metrics,
            access,
            images,
            uploads,
            downloads,
            sharing,
            quotas,
            submitter,
            directory.tokens(),
            &directory};
  }

  ops::Config const& config;
  bool const ims;
  SystemClock const clock;
  ops::Metrics metrics;
  service::Access const access;
  identity::builtin::Directory directory;
  service::Images images;
  service::Quotas quotas;
  service::Sharing sharing;
  service::Uploads uploads;
  service::Downloads downloads;
  jobs::Bell bell;
  jobs::Submitter submitter;
  jobs::Engine engine;
};

Result<std::unique_ptr<jobs::AuditExport>>
open_audit(ops::Config const& config, Stores const& stores, std::string const& directory) {
  auto const file = config.audit.file.empty() ? directory + "/audit.jsonl" : config.audit.file;
  return jobs::AuditExport::open(*stores.database, file, [](Fault fault) {
    auto const& entry = api::ims::entry(fault);
    return jobs::AuditReason{entry.http, entry.code};
  });
}

// What is done again and again while the server runs.
struct Upkeep {
  Upkeep(House& house, Stores const& stores, jobs::AuditExport& audit)
      : remove_bytes("blobs", 60s,
                     [&stores]() -> Result<> {
                       TRY(jobs::remove_unused_blobs(*stores.database, *stores.blobs));
                       return {};
                     }),
        remove_jobs("jobs", 3600s,
                    [&stores, &house]() -> Result<> {
                      TRY(jobs::remove_old_jobs(*stores.database, house.clock,
                                                house.config.jobs.retention_days));
                      return {};
                    }),
        export_audit("audit", 250ms, [&audit] { return audit.export_pending(); }) {}

  jobs::Periodic remove_bytes;
  jobs::Periodic remove_jobs;
  jobs::Periodic export_audit; ///< ends last of all workers: it exports once more
};

} // namespace

Result<> serve(ops::Config const& config, ServeOptions const& options) {
  auto const signals = block_signals();
  auto const stores = TRY(Stores::open(options.directory));
  auto const policy = TRY(load_policy(config));
  House house(config, stores, policy);
  identity::builtin::Bootstrap const wanted{options.directory + "/clouds.yaml", options.demo,
                                            config.identity.region};
  auto const clouds = TRY(identity::builtin::bootstrap(house.directory, wanted));
  TRY(house.uploads.recover());
  TRY(house.engine.take_over());
  auto const audit = TRY(open_audit(config, stores, options.directory));
  Upkeep upkeep(house, stores, *audit);

  auto services = house.services();
  api::Origin const origin(config.server.public_endpoint, config.server.trusted_proxies);
  auto const endpoints = api::all_endpoints();
  RequestCounts counts(house.metrics, endpoints, config.metrics.per_project);
  api::Dispatcher dispatcher(endpoints, services, origin, api::version_list,
                             [&counts](api::Served const& served) {
                               log_served(served);
                               counts.count(served);
                             });
  auto const place = TRY(ops::parse_host_port(config.server.listen));
  auto const server =
      TRY(net::Server::start(server_options(config, place.host, place.port), dispatcher));
  add_process_figures(house.metrics, *server);
  auto const url = url_of(config, place.host, server->port());
  TRY(identity::builtin::announce(wanted, clouds, url));
  house.engine.start();
  std::printf("ready %s\n", url.c_str());
  std::fflush(stdout);

  wait_for_end(signals, [&] {
    audit->reopen();
    if (auto const loaded = server->reload_certificate(); !loaded) {
      ops::log_error("certificate_not_reloaded", {{"reason", loaded.error().detail}});
    }
  });
  server->drain(std::chrono::seconds(config.server.drain_seconds));
  house.engine.stop();
  upkeep.export_audit.stop();
  return {};
}

} // namespace vitrine::app
