// Metrics in the form Prometheus reads. Every metric is one line of VITRINE_METRICS: that list
// makes the enumeration, the answer of GET /metrics and the reference.
//
//   auto& denied = metrics.counter(Metric::policy_denials, {"get_image"}); // once: locks
//   denied.add(); // then: one atomic addition
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vitrine::ops {

// identifier, type, name, labels (separated by commas), buckets, help
#define VITRINE_METRICS(X)                                                                         \
  X(build_info, gauge, "vitrine_build_info", "version", none, "Always 1; says what runs.")         \
  X(start_time, gauge, "vitrine_start_time_seconds", "", none, "When the process started.")        \
  X(resident_memory, gauge, "vitrine_resident_memory_bytes", "", none,                             \
    "Memory the process holds.")                                                                   \
  X(http_requests, counter, "vitrine_http_requests_total", "endpoint,status", none,                \
    "Requests answered.")                                                                          \
  X(http_seconds, histogram, "vitrine_http_request_seconds", "endpoint", seconds,                  \
    "From the whole head to the end of the answer.")                                               \
  X(project_requests, counter, "vitrine_project_requests_total", "project", none,                  \
    "Requests answered to a project; only with [metrics] per_project.")                            \
  X(connections_open, gauge, "vitrine_connections_open", "", none, "Open client connections.")     \
  X(connections, counter, "vitrine_connections_total", "", none, "Client connections accepted.")   \
  X(api_queue, gauge, "vitrine_api_queue_length", "", none, "Requests waiting for a thread.")      \
  X(refusals, counter, "vitrine_refusals_total", "reason", none,                                   \
    "Requests refused before they reached an endpoint.")                                           \
  X(received, counter, "vitrine_received_bytes_total", "", none, "Bytes read from clients.")       \
  X(sent, counter, "vitrine_sent_bytes_total", "", none, "Bytes written to clients.")              \
  X(uploads_running, gauge, "vitrine_uploads_running", "", none, "Uploads of image data.")         \
  X(uploaded, counter, "vitrine_uploaded_bytes_total", "", none, "Image data stored.")             \
  X(spools, gauge, "vitrine_spools", "", none,                                                     \
    "Uploads of signed image data that wait for the proof of who sends them.")                     \
  X(spooled, gauge, "vitrine_spooled_bytes", "", none, "Bytes of those that have come.")           \
  X(downloaded, counter, "vitrine_downloaded_bytes_total", "", none,                               \
    "Image data of the downloads begun.")                                                          \
  X(format_refusals, counter, "vitrine_format_refusals_total", "reason", none,                     \
    "Uploads refused for what their bytes are.")                                                   \
  X(images, gauge, "vitrine_images", "status,visibility", none, "Images.")                         \
  X(image_bytes, gauge, "vitrine_image_bytes", "status,visibility", none,                          \
    "Size of the data of images; equal data counts each time.")                                    \
  X(tokens_issued, counter, "vitrine_tokens_issued_total", "method", none, "Tokens issued.")       \
  X(login_failures, counter, "vitrine_login_failures_total", "", none, "Logins refused.")          \
  X(token_cache, counter, "vitrine_token_cache_total", "outcome", none,                            \
    "Token checks answered from memory (hit) or not (miss).")                                      \
  X(keystone_seconds, histogram, "vitrine_keystone_request_seconds", "outcome", seconds,           \
    "Requests to Keystone: answered, whatever with, or failed.")                                   \
  X(policy_denials, counter, "vitrine_policy_denials_total", "action", none,                       \
    "Requests that the policy denied.")                                                            \
  X(jobs_open, gauge, "vitrine_jobs_open", "", none, "Jobs that have not ended, of all.")          \
  X(jobs_oldest, gauge, "vitrine_jobs_oldest_seconds", "", none,                                   \
    "How long ago the oldest job that has not ended was submitted; 0 without one.")                \
  X(jobs_running, gauge, "vitrine_jobs_running", "", none, "Jobs this process works on.")          \
  X(jobs_ended, counter, "vitrine_jobs_ended_total", "kind,status", none, "Jobs ended.")           \
  X(job_seconds, histogram, "vitrine_job_seconds", "kind", long_seconds,                           \
    "From submission to the end of a job.")                                                        \
  X(job_items, counter, "vitrine_job_items_total", "kind,outcome", none,                           \
    "Targets of jobs, such as pairs of image and project.")                                        \
  X(jobs_rescued, counter, "vitrine_jobs_rescued_total", "", none,                                 \
    "Jobs taken over from a worker whose lease ended.")                                            \
  X(transaction_seconds, histogram, "vitrine_transaction_seconds", "kind", seconds,                \
    "Database transactions, with the wait for their turn.")                                        \
  X(store_seconds, histogram, "vitrine_store_seconds", "operation,store", seconds,                 \
    "Operations of the store of image data; files leave by sendfile, which is no read. The store " \
    "is told where there are several.")                                                            \
  X(store_up, gauge, "vitrine_store_up", "store", none,                                            \
    "1 while the store answers, 0 while it does not; where there are several.")                    \
  X(store_blobs, gauge, "vitrine_store_blobs", "store", none,                                      \
    "Blobs that the store should hold; where there are several.")                                  \
  X(store_bytes, gauge, "vitrine_store_bytes", "store", none,                                      \
    "Bytes of those; equal data counts once in a store.")                                          \
  X(audit_events, counter, "vitrine_audit_events_total", "event", none,                            \
    "Audit events written to the file.")

enum class Metric : std::uint8_t {
#define X(id, type, name, labels, buckets, help) id,
  VITRINE_METRICS(X)
#undef X
};

/// A figure that only grows. Thread-safe, does not block.
class alignas(64) Counter {
public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.fetch_add(amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// A figure that goes up and down. Thread-safe, does not block.
class alignas(64) Gauge {
public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<double> value_{0};
};

/// Counts values by upper bound. Thread-safe, does not block; sum and counts may be a moment apart.
class alignas(64) Histogram {
public:
  static constexpr std::size_t kBoundsMax = 16;

  explicit Histogram(std::span<double const> bounds) noexcept : bounds_(bounds) {}
  void observe(double value) noexcept {
    std::size_t bucket = 0;
    while (bucket < bounds_.size() && value > bounds_[bucket])
      ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }
  [[nodiscard]] std::span<double const> bounds() const noexcept { return bounds_; }
  /// Values above the bound before and up to bound `bucket`; the last bucket has no bound.
  [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept {
    return counts_[bucket].load(std::memory_order_relaxed);
  }
  [[nodiscard]] double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

private:
  std::span<double const> bounds_;
  std::array<std::atomic<std::uint64_t>, kBoundsMax + 1> counts_{};
  std::atomic<double> sum_{0};
};

/// All metrics of a process. Thread-safe. Handles live as long as it does; ask for them once.
class Metrics {
public:
  using Labels = std::initializer_list<std::string_view>;
  /// Label sets of one metric; further ones are counted together under the label value `other`.
  static constexpr std::size_t kSeriesMax = 10'000;

  Metrics();
  ~Metrics();
  Metrics(Metrics const&) = delete;
  Metrics& operator=(Metrics const&) = delete;

  /// The series with these label values, in the order of the declaration; one that is empty is left
  /// out. Type and number of labels must fit the declaration (CHECK).
  Counter& counter(Metric metric, Labels labels = {});
  Gauge& gauge(Metric metric, Labels labels = {});
  Histogram& histogram(Metric metric, Labels labels = {});
  /// A counter or gauge that is kept elsewhere: asked for at each scrape, from the scraping thread.
  /// `read` must not ask for metrics.
  void source(Metric metric, std::function<double()> read, Labels labels = {});
  /// Called before each scrape, from the scraping thread, to set gauges that are costly to keep.
  /// Before the first scrape.
  void before_scrape(std::function<void()> refresh);

  /// The text exposition, version 0.0.4. A metric with labels and without a series
  /// is left out.
  [[nodiscard]] std::string text() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Reference of all metrics, Markdown.
std::string describe_metrics_markdown();

} // namespace vitrine::ops
