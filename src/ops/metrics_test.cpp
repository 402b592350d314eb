#include "ops/metrics.hpp"

#include <gtest/gtest.h>
#include <set>
#include <thread>
#include <vector>

namespace vitrine::ops {
namespace {

bool has_line(std::string const& text, std::string const& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

} // namespace

TEST(Metrics, counter_and_gauge_in_the_text) {
  Metrics metrics;
  metrics.counter(Metric::http_requests, {"image.v2.show", "200"}).add(3);
  metrics.counter(Metric::http_requests, {"image.v2.show", "404"}).add();
  metrics.gauge(Metric::uploads_running).add(2);
  metrics.gauge(Metric::uploads_running).add(-1);
  auto const text = metrics.text();
  EXPECT_TRUE(has_line(text, "# TYPE vitrine_http_requests_total counter")) << text;
  EXPECT_TRUE(
      has_line(text, "vitrine_http_requests_total{endpoint=\"image.v2.show\",status=\"200\"} 3"));
  EXPECT_TRUE(
      has_line(text, "vitrine_http_requests_total{endpoint=\"image.v2.show\",status=\"404\"} 1"));
  EXPECT_TRUE(has_line(text, "vitrine_uploads_running 1"));
  EXPECT_TRUE(has_line(text, "vitrine_jobs_running 0")) << "without labels: from the start";
  EXPECT_EQ(text.find("vitrine_jobs_ended_total"), std::string::npos) << "nobody asked for it";
}

TEST(Metrics, handles_are_stable_and_shared) {
  Metrics metrics;
  auto& first = metrics.counter(Metric::login_failures);
  EXPECT_EQ(&first, &metrics.counter(Metric::login_failures));
  first.add();
  EXPECT_EQ(metrics.counter(Metric::login_failures).value(), 1U);
}

TEST(Metrics, histogram_bounds_are_inclusive_and_cumulative) {
  Metrics metrics;
  auto& seconds = metrics.histogram(Metric::http_seconds, {"e"});
  seconds.observe(0.0005);
  seconds.observe(0.0006);
  seconds.observe(1e9);
  auto const text = metrics.text();
  EXPECT_TRUE(has_line(text, "vitrine_http_request_seconds_bucket{endpoint=\"e\",le=\"0.0005\"} 1"))
      << text;
  EXPECT_TRUE(has_line(text, "vitrine_http_request_seconds_bucket{endpoint=\"e\",le=\"0.001\"} 2"));
  EXPECT_TRUE(has_line(text, "vitrine_http_request_seconds_bucket{endpoint=\"e\",le=\"30\"} 2"));
  EXPECT_TRUE(has_line(text, "vitrine_http_request_seconds_bucket{endpoint=\"e\",le=\"+Inf\"} 3"));
  EXPECT_TRUE(has_line(text, "vitrine_http_request_seconds_count{endpoint=\"e\"} 3"));
}

TEST(Metrics, a_refresh_runs_before_each_scrape_and_may_ask_for_metrics) {
  Metrics metrics;
  metrics.before_scrape([&] { metrics.gauge(Metric::images, {"active", "public"}).add(1); });
  EXPECT_TRUE(
      has_line(metrics.text(), "vitrine_images{status=\"active\",visibility=\"public\"} 1"));
  EXPECT_TRUE(
      has_line(metrics.text(), "vitrine_images{status=\"active\",visibility=\"public\"} 2"));
}

TEST(Metrics, sources_may_have_labels) {
  Metrics metrics;
  metrics.source(Metric::token_cache, [] { return 7.0; }, {"hit"});
  metrics.source(Metric::token_cache, [] { return 1.0; }, {"miss"});
  auto const text = metrics.text();
  EXPECT_TRUE(has_line(text, "vitrine_token_cache_total{outcome=\"hit\"} 7")) << text;
  EXPECT_TRUE(has_line(text, "vitrine_token_cache_total{outcome=\"miss\"} 1")) << text;
}

TEST(Metrics, sources_are_read_at_each_scrape) {
  Metrics metrics;
  double open = 4;
  metrics.source(Metric::connections_open, [&] { return open; });
  metrics.source(Metric::connections, [] { return 9.0; });
  EXPECT_TRUE(has_line(metrics.text(), "vitrine_connections_open 4"));
  open = 5;
  EXPECT_TRUE(has_line(metrics.text(), "vitrine_connections_open 5"));
  EXPECT_TRUE(has_line(metrics.text(), "vitrine_connections_total 9"));
}

TEST(Metrics, series_are_bounded) {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::kSeriesMax; ++i) {
    metrics.counter(Metric::project_requests, {std::to_string(i)});
  }
  metrics.counter(Metric::project_requests, {"late"}).add(2);
  metrics.counter(Metric::project_requests, {"later"}).add(3);
  EXPECT_EQ(metrics.counter(Metric::project_requests, {"other"}).value(), 5U);
}

TEST(Metrics, additions_of_threads_are_all_counted) {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        auto& counter = metrics.counter(Metric::uploaded);
        auto& seconds = metrics.histogram(Metric::http_seconds, {"e"});
        for (int i = 0; i < 1000; ++i) {
          counter.add(2);
          seconds.observe(0.5);
        }
      });
    }
  }
  EXPECT_EQ(metrics.counter(Metric::uploaded).value(), 8000U);
  EXPECT_EQ(metrics.histogram(Metric::http_seconds, {"e"}).sum(), 2000.0);
}

TEST(Metrics, names_follow_the_conventions_and_are_described) {
  auto const markdown = describe_metrics_markdown();
  std::set<std::string_view> names;
#define X(id, type, name, labels, buckets, help)                                                   \
  EXPECT_TRUE(names.insert(name).second) << name;                                                  \
  EXPECT_EQ(std::string_view(#type) == "counter", std::string_view(name).ends_with("_total"))      \
      << name;                                                                                     \
  EXPECT_NE(markdown.find("| `" name "` | " #type " |"), std::string::npos) << name;
  VITRINE_METRICS(X)
#undef X
}

TEST(MetricsDeathTest, wrong_type_or_number_of_labels_stops) {
  Metrics metrics;
  EXPECT_DEATH(metrics.gauge(Metric::login_failures), "check failed");
  EXPECT_DEATH(metrics.counter(Metric::jobs_ended, {"one"}), "check failed");
}

} // namespace vitrine::ops
