#include "ops/metrics.hpp"

#include "base/result.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <mutex>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <vector>

namespace vitrine::ops {
namespace {

enum class Type : std::uint8_t { counter, gauge, histogram };
enum class Buckets : std::uint8_t { none, seconds, long_seconds };

struct Row {
  Type type;
  std::string_view name;
  std::string_view labels;
  Buckets buckets;
  std::string_view help;
};

constexpr Row kRows[] = {
#define X(id, type, name, labels, buckets, help) {Type::type, name, labels, Buckets::buckets, help},
    VITRINE_METRICS(X)
#undef X
};
constexpr std::size_t kMetrics = std::size(kRows);

constexpr double kSeconds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                               0.25,   0.5,   1,      2.5,   5,    10,    30};
constexpr double kLongSeconds[] = {0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14'400};
static_assert(std::size(kSeconds) <= Histogram::kBoundsMax);
static_assert(std::size(kLongSeconds) <= Histogram::kBoundsMax);

std::span<double const> bounds_of(Buckets buckets) {
  if (buckets == Buckets::seconds) return kSeconds;
  return kLongSeconds;
}

Row const& row_of(Metric metric) { return kRows[static_cast<std::size_t>(metric)]; }

std::vector<std::string_view> labels_of(Row const& row) {
  return row.labels.empty() ? std::vector<std::string_view>{} : text::split(row.labels, ',');
}

using Key = std::vector<std::string>;

/// The series of one metric, by label values.
template <class Instrument>
class Family {
public:
  template <class... Arguments>
  Instrument& find_or_add(Key key, Arguments const&... arguments) {
    auto found = series_.find(key);
    if (found != series_.end()) return *found->second;
    if (series_.size() >= Metrics::kSeriesMax) std::ranges::fill(key, "other");
    auto& place = series_[std::move(key)];
    if (!place) place = std::make_unique<Instrument>(arguments...);
    return *place;
  }
  [[nodiscard]] auto const& series() const noexcept { return series_; }

private:
  std::map<Key, std::unique_ptr<Instrument>> series_;
};

void fill(prometheus::ClientMetric& out, Counter const& counter) {
  out.counter.value = static_cast<double>(counter.value());
}

void fill(prometheus::ClientMetric& out, Gauge const& gauge) { out.gauge.value = gauge.value(); }

void fill(prometheus::ClientMetric& out, Histogram const& histogram) {
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    cumulative += histogram.count(i);
    bool const last = i == histogram.bounds().size();
    out.histogram.bucket.push_back(
        {cumulative, last ? std::numeric_limits<double>::infinity() : histogram.bounds()[i]});
  }
  out.histogram.sample_count = cumulative;
  out.histogram.sample_sum = histogram.sum();
}

constexpr prometheus::MetricType wire_type(Type type) {
  switch (type) {
  case Type::counter: return prometheus::MetricType::Counter;
  case Type::gauge: return prometheus::MetricType::Gauge;
  case Type::histogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

void label(prometheus::ClientMetric& out, Row const& row, Key const& values) {
  auto const names = labels_of(row);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!values[i].empty()) out.label.push_back({std::string(names[i]), values[i]});
  }
}

template <class Instrument>
void collect(prometheus::MetricFamily& out, Row const& row, Family<Instrument> const& family) {
  for (auto const& [values, instrument] : family.series()) {
    auto& metric = out.metric.emplace_back();
    label(metric, row, values);
    fill(metric, *instrument);
  }
}

} // namespace

struct Metrics::Impl {
  mutable std::mutex mutex;
  std::array<Family<Counter>, kMetrics> counters;
  std::array<Family<Gauge>, kMetrics> gauges;
  std::array<Family<Histogram>, kMetrics> histograms;
  std::array<std::map<Key, std::function<double()>>, kMetrics> sources;
  std::function<void()> refresh; ///< set before the first scrape

  void collect_source(prometheus::MetricFamily& out, std::size_t index) const {
    for (auto const& [values, read] : sources[index]) {
      auto& metric = out.metric.emplace_back();
      label(metric, kRows[index], values);
      auto const value = read();
      (kRows[index].type == Type::counter ? metric.counter.value : metric.gauge.value) = value;
    }
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

namespace {

Key key_for(Metric metric, Type type, Metrics::Labels labels) {
  auto const& row = row_of(metric);
  CHECK(row.type == type);
  CHECK(labels_of(row).size() == labels.size());
  return {labels.begin(), labels.end()};
}

} // namespace

Counter& Metrics::counter(Metric metric, Labels labels) {
  auto key = key_for(metric, Type::counter, labels);
  std::lock_guard const lock(impl_->mutex);
  return impl_->counters[static_cast<std::size_t>(metric)].find_or_add(std::move(key));
}

Gauge& Metrics::gauge(Metric metric, Labels labels) {
  auto key = key_for(metric, Type::gauge, labels);
  std::lock_guard const lock(impl_->mutex);
  return impl_->gauges[static_cast<std::size_t>(metric)].find_or_add(std::move(key));
}

Histogram& Metrics::histogram(Metric metric, Labels labels) {
  auto key = key_for(metric, Type::histogram, labels);
  std::lock_guard const lock(impl_->mutex);
  return impl_->histograms[static_cast<std::size_t>(metric)].find_or_add(
      std::move(key), bounds_of(row_of(metric).buckets));
}

void Metrics::source(Metric metric, std::function<double()> read, Labels labels) {
  auto const type = row_of(metric).type;
  CHECK(type != Type::histogram);
  auto key = key_for(metric, type, labels);
  std::lock_guard const lock(impl_->mutex);
  impl_->sources[static_cast<std::size_t>(metric)][std::move(key)] = std::move(read);
}

void Metrics::before_scrape(std::function<void()> refresh) { impl_->refresh = std::move(refresh); }

std::string Metrics::text() const {
  if (impl_->refresh) impl_->refresh();
  std::vector<prometheus::MetricFamily> families;
  std::lock_guard const lock(impl_->mutex);
  for (std::size_t i = 0; i < kMetrics; ++i) {
    auto const& row = kRows[i];
    prometheus::MetricFamily family;
    family.name = row.name;
    family.help = row.help;
    family.type = wire_type(row.type);
    collect(family, row, impl_->counters[i]);
    collect(family, row, impl_->gauges[i]);
    collect(family, row, impl_->histograms[i]);
    impl_->collect_source(family, i);
    // Zero from the start, so that a first event shows as a step.
    bool const single = row.labels.empty() && row.type != Type::histogram;
    if (single && family.metric.empty()) family.metric.emplace_back();
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

std::string describe_metrics_markdown() {
  static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
  std::string out =
      "# Metrics\n\n| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n";
  for (auto const& row : kRows) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", row.name,
                       kTypes[static_cast<std::size_t>(row.type)], fmt::join(labels_of(row), ", "),
                       row.help);
  }
  return out;
}

} // namespace vitrine::ops
