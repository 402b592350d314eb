// Time: microseconds since the Unix epoch, UTC, behind an interface that tests can steer.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine {

/// A point in time, microseconds since 1970-01-01T00:00:00Z.
struct Time {
  std::int64_t us{0};
  friend auto operator<=>(Time const&, Time const&) = default;
};

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr Time operator+(Time time, std::int64_t us) { return Time{time.us + us}; }

/// `YYYY-MM-DDTHH:MM:SSZ`, fractions cut (contract: ims-api 2.5, glance-v2 1.1).
std::string format_seconds(Time time);
/// `YYYY-MM-DDTHH:MM:SS.mmmZ`, for jobs (contract: ims-api 2.5).
std::string format_milliseconds(Time time);
/// `YYYY-MM-DDTHH:MM:SS.ffffffZ`, as Keystone prints token times.
std::string format_microseconds(Time time);
/// ISO 8601 date and time: `T` or space between, optional fraction, `Z`, `±HH:MM`, `±HHMM` or
/// nothing (UTC). Nothing when it is not a real point in time.
std::optional<Time> parse_time(std::string_view text);

/// Source of time. Implementations are thread-safe.
class Clock {
public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

class SystemClock final : public Clock {
public:
  [[nodiscard]] Time now() const override;
};

/// For tests: stands still until told otherwise.
class FakeClock final : public Clock {
public:
  explicit FakeClock(Time start) : us_(start.us) {}
  [[nodiscard]] Time now() const override { return Time{us_.load()}; }
  void advance(std::int64_t us) { us_ += us; }

private:
  std::atomic<std::int64_t> us_;
};

} // namespace vitrine
