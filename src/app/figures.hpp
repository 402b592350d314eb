// What the process measures of itself, tied to its metrics.
#pragma once

#include "api/kit/dispatcher.hpp"
#include "net/server.hpp"
#include "ops/metrics.hpp"

#include <array>
#include <atomic>
#include <cstddef>
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

/// Adds what is asked for at each scrape: the build, memory, the server. Scrapes must end before
/// the server does.
void add_process_figures(ops::Metrics& metrics, net::Server const& server);

} // namespace vitrine::app
