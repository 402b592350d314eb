#include "app/figures.hpp"

#include "model/caller.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

namespace vitrine::app {
namespace {

constexpr std::chrono::seconds kCountAgeMax{5};

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

} // namespace

RequestCounts::RequestCounts(ops::Metrics& metrics, std::vector<api::Endpoint> const& endpoints,
                             bool per_project)
    : metrics_(metrics), per_project_(per_project), series_(endpoints.size() + 1) {
  for (std::size_t i = 0; i < series_.size(); ++i) {
    series_[i].endpoint = i < endpoints.size() ? endpoints[i].spec.name : "none";
    series_[i].seconds = &metrics_.histogram(ops::Metric::http_seconds, {series_[i].endpoint});
  }
}

void RequestCounts::count(api::Served const& served) {
  auto& series = served.endpoint == nullptr ? series_.back() : series_[served.endpoint_index];
  auto const status = static_cast<std::size_t>(served.status);
  CHECK(status < kStatuses);
  auto* counter = series.answered[status].load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &metrics_.counter(ops::Metric::http_requests,
                                {series.endpoint, fmt::to_string(served.status)});
    series.answered[status].store(counter, std::memory_order_release);
  }
  counter->add();
  series.seconds->observe(static_cast<double>(served.microseconds) / 1e6);
  if (per_project_ && served.caller != nullptr && !served.caller->project.empty()) {
    metrics_.counter(ops::Metric::project_requests, {served.caller->project.text}).add();
  }
}

void ImageFigures::refresh() {
  std::lock_guard const lock(mutex_);
  auto const now = std::chrono::steady_clock::now();
  if (counted_at_ && now - *counted_at_ < kCountAgeMax) return;
  std::vector<store::StoreTotal> blobs;
  auto const images =
      database_.read([&](store::Connection& connection) -> Result<std::vector<store::ImageTotal>> {
        if (stores_.several()) blobs = TRY(store::BlobIndex(connection).totals());
        return store::Images(connection).totals();
      });
  if (!images) return ops::log_warning("images.not_counted", {{"detail", images.error().detail}});
  counted_at_ = now;
  show_images(*images);
  if (stores_.several()) show_stores(blobs);
}

void ImageFigures::show_images(std::vector<store::ImageTotal> const& totals) {
  for (auto const& [status, visibility] : shown_) {
    metrics_.gauge(ops::Metric::images, {status, visibility}).set(0);
    metrics_.gauge(ops::Metric::image_bytes, {status, visibility}).set(0);
  }
  for (auto const& total : totals) {
    shown_.emplace(total.status, total.visibility);
    metrics_.gauge(ops::Metric::images, {total.status, total.visibility})
        .set(static_cast<double>(total.count));
    metrics_.gauge(ops::Metric::image_bytes, {total.status, total.visibility})
        .set(static_cast<double>(total.size_bytes));
  }
}

// Of the stores that are configured; of others the log tells.
void ImageFigures::show_stores(std::vector<store::StoreTotal> const& totals) {
  for (auto const& store : stores_.all()) {
    auto const total = std::ranges::find(totals, store.key, &store::StoreTotal::store);
    bool const holds_some = total != totals.end();
    metrics_.gauge(ops::Metric::store_blobs, {store.name})
        .set(holds_some ? static_cast<double>(total->blobs) : 0);
    metrics_.gauge(ops::Metric::store_bytes, {store.name})
        .set(holds_some ? static_cast<double>(total->size_bytes) : 0);
  }
}

void add_process_figures(ops::Metrics& metrics, net::Server const& server, Identity const& identity,
                         api::Spools const& spools) {
  using ops::Metric;
  metrics.gauge(Metric::build_info, {VITRINE_VERSION}).set(1);
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  metrics.gauge(Metric::start_time).set(std::chrono::duration<double>(now).count());
  metrics.source(Metric::resident_memory, resident_bytes);
  metrics.source(Metric::token_cache,
                 [&identity] { return static_cast<double>(identity.token_lookups().hits); },
                 {"hit"});
  metrics.source(Metric::token_cache,
                 [&identity] { return static_cast<double>(identity.token_lookups().misses); },
                 {"miss"});
  metrics.source(Metric::spools, [&spools] { return static_cast<double>(spools.taken().count); });
  metrics.source(Metric::spooled, [&spools] { return static_cast<double>(spools.taken().bytes); });
  auto const add = [&](Metric metric, std::uint64_t net::ServerFigures::* figure) {
    metrics.source(metric,
                   [&server, figure] { return static_cast<double>(server.figures().*figure); });
  };
  add(Metric::connections_open, &net::ServerFigures::connections_open);
  add(Metric::connections, &net::ServerFigures::connections_total);
  add(Metric::api_queue, &net::ServerFigures::api_queue);
  add(Metric::received, &net::ServerFigures::bytes_received);
  add(Metric::sent, &net::ServerFigures::bytes_sent);
}

} // namespace vitrine::app
