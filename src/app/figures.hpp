// What the process measures of itself, tied to its metrics.
#pragma once

#include "api/kit/dispatcher.hpp"
#include "api/kit/spools.hpp"
#include "app/identity.hpp"
#include "model/image_stores.hpp"
#include "net/server.hpp"
#include "ops/metrics.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/database.hpp"
#include "store/metadata/images.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vitrine::app {

/// Counts answered requests by endpoint and status. Thread-safe; takes a lock only when an endpoint
/// answers a status for the first time, and for each request when it counts projects.
class RequestCounts {
public:
  /// `endpoints` as given to the dispatcher, `metrics` must outlive this.
  RequestCounts(ops::Metrics& metrics, std::vector<api::Endpoint> const& endpoints,
                bool per_project);
  void count(api::Served const& served);

private:
  static constexpr std::size_t kStatuses = 600;
  struct Series {
    std::string_view endpoint;
    ops::Histogram* seconds{nullptr};
    std::array<std::atomic<ops::Counter*>, kStatuses> answered{}; ///< null until it happens
  };

  ops::Metrics& metrics_;
  bool const per_project_;
  std::vector<Series> series_; ///< by endpoint; the last one for paths that lead nowhere
};

/// Images by status and visibility, and what several stores should hold, counted in the database at
/// a scrape, but at most once in 5 s.
/// Thread-safe.
class ImageFigures {
public:
  /// All must outlive the last scrape, as must this.
  ImageFigures(ops::Metrics& metrics, store::Database& database, model::ImageStores const& stores)
      : metrics_(metrics), database_(database), stores_(stores) {}
  void refresh();

private:
  using Series = std::pair<std::string, std::string>; ///< status, visibility

  void show_images(std::vector<store::ImageTotal> const& totals);
  void show_stores(std::vector<store::StoreTotal> const& totals);

  ops::Metrics& metrics_;
  store::Database& database_;
  model::ImageStores const& stores_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> counted_at_;
  std::set<Series> shown_; ///< those without an image any more go down to zero
};

/// Adds what is asked for at each scrape: the build, memory, the server, checks of tokens, spools.
/// Scrapes must end before the server, the identity and the spools do.
void add_process_figures(ops::Metrics& metrics, net::Server const& server, Identity const& identity,
                         api::Spools const& spools);

} // namespace vitrine::app
