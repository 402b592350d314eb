#include "app/serve.hpp"

#include "api/endpoints.hpp"
#include "api/kit/dispatcher.hpp"
#include "app/figures.hpp"
#include "app/house.hpp"
#include "app/memory.hpp"
#include "net/server.hpp"
#include "ops/log.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <optional>

namespace vitrine::app {
namespace {

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
  to.report_bug = [](std::string_view line) {
    ops::log_error("request.threw", {{"detail", line}});
  };
  return to;
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

std::string url_of(ops::Config const& config, net::Server const& server) {
  auto const host = server.host();
  bool const v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}:{}", config.server.certificate_file.empty() ? "http" : "https",
                     v6 ? "[" + host + "]" : host, server.port());
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

void report_reload(std::string_view what, Result<> const& done) {
  if (done) return ops::log_info("reload.done", {{"what", what}});
  ops::log_error("reload.failed", {{"what", what}, {"detail", done.error().detail}});
}

Result<> reload_policy(House& house) {
  auto policy = TRY(load_policy(house.config));
  for (auto const& warning : policy.warnings())
    ops::log_warning("policy.word_never_matches", {{"detail", warning}});
  house.access.replace(std::move(policy));
  house.identity->authenticator().forget_callers(); // some were administrators by the old policy
  return {};
}

// What is broken stays as it was: a reload never ends the service.
void reload(House& house, net::Server& server) {
  auto const log = ops::configure_log(house.config.log); // first: the rest is told in the new file
  report_reload("log", log);
  report_reload("policy", reload_policy(house));
  report_reload("certificate", server.reload_certificate());
}

bool answers_clients(ops::Config const& config) { return config.server.role != ops::Role::worker; }

bool works(ops::Config const& config) { return config.server.role != ops::Role::api; }

std::vector<api::Endpoint> endpoints_of(House const& house) {
  auto endpoints = house.identity->served(api::all_endpoints());
  if (!answers_clients(house.config)) {
    std::erase_if(endpoints, [](api::Endpoint const& endpoint) {
      return endpoint.spec.family != &api::ops_family;
    });
  }
  return endpoints;
}

// The answer to paths that name no API: which there are, if any.
api::Reply no_such_api(House const& house, api::Context& context, int status) {
  if (answers_clients(house.config)) {
    return api::version_list(context, house.image_stores.several(), status);
  }
  return api::ops_family.refuse(error(Fault::not_found), {});
}

} // namespace

Result<> serve(ops::Config const& config, ServeOptions const& options) {
  auto const signals = block_signals();
  set_up_memory();
  ops::Metrics metrics;
  auto const stores = TRY(Stores::open(options.directory, config, metrics));
  auto policy = TRY(load_policy(config));
  auto os_versions = TRY(os_versions_of(config));
  House house(config, stores, std::move(policy), std::move(os_versions), metrics);
  TRY(follow_clock(house, stores));
  TRY(house.identity->prepare(options.directory, options.demo));
  TRY(house.uploads.recover());
  auto const& first_store = house.image_stores.all().front();
  if (config.storage.driver == ops::StorageDriver::file) {
    TRY(remove_strays(house, stores, first_store));
  }
  TRY(tell_of_lost_stores(house, stores));
  TRY(house.engine.take_over());
  std::unique_ptr<jobs::AuditExport> audit;
  if (works(config)) audit = TRY(open_audit(house, stores, options.directory));
  TRY(look_at_database(house, stores)); // ready from the first request on
  TRY(look_at_store(house, stores, house.image_stores.by_default()));
  OwnUpkeep const own_upkeep(house, stores);
  std::optional<SharedUpkeep> shared_upkeep;
  if (works(config)) shared_upkeep.emplace(house, stores, *audit);

  auto services = house.services();
  api::Origin const origin(config.server.public_endpoint, config.server.trusted_proxies);
  auto const endpoints = endpoints_of(house);
  ImageFigures image_figures(metrics, *stores.database, house.image_stores);
  metrics.before_scrape([&image_figures] { image_figures.refresh(); });
  RequestCounts counts(metrics, endpoints, config.metrics.per_project);
  api::Dispatcher dispatcher(
      endpoints, services, origin,
      [&house](api::Context& context, int status) { return no_such_api(house, context, status); },
      [&counts](api::Served const& served) {
        log_served(served);
        counts.count(served);
      });
  auto const place = TRY(ops::parse_host_port(config.server.listen));
  auto const server =
      TRY(net::Server::start(server_options(config, place.host, place.port), dispatcher));
  add_process_figures(metrics, *server, *house.identity, house.spools);
  auto const url = url_of(config, *server);
  TRY(house.identity->announce(url));
  if (works(config)) house.engine.start();
  std::printf("ready %s\n", url.c_str());
  std::fflush(stdout);

  wait_for_end(signals, [&] {
    if (audit) audit->reopen();
    reload(house, *server);
  });
  // The trail may have a long way to go: what is left by then is written after the next start.
  if (audit) {
    audit->end_by(std::chrono::steady_clock::now() +
                  std::chrono::seconds(config.server.drain_seconds));
  }
  house.health.drain();
  if (!server->drain(std::chrono::seconds(config.server.drain_seconds))) {
    ops::log_warning("drain.cut_short", {{"connections", server->figures().connections_open}});
  }
  house.engine.stop();
  if (shared_upkeep) shared_upkeep->export_audit.stop();
  return {};
}

} // namespace vitrine::app
