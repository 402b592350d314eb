#include "base/clock.hpp"

#include "base/text.hpp"

#include <chrono>
#include <ctime>
#include <fmt/format.h>

namespace vitrine {
namespace {

std::tm broken_down(Time time, std::int64_t& us) {
  std::int64_t seconds = time.us / kMicrosecondsPerSecond;
  us = time.us % kMicrosecondsPerSecond;
  if (us < 0) {
    us += kMicrosecondsPerSecond;
    --seconds;
  }
  auto const value = static_cast<std::time_t>(seconds);
  std::tm out{};
  gmtime_r(&value, &out);
  return out;
}

// Reads exactly `count` digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!text::is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// Offset from UTC in seconds of what stands behind the time; nothing when malformed.
std::optional<std::int64_t> zone_offset(std::string_view zone) {
  if (zone.empty() || zone == "Z" || zone == "z") return 0;
  if (zone.front() != '+' && zone.front() != '-') return std::nullopt;
  auto const hours = digits(zone, 1, 2);
  bool const colon = zone.size() == 6 && zone[3] == ':';
  if (!colon && zone.size() != 5 && zone.size() != 3) return std::nullopt;
  auto const minutes = zone.size() == 3 ? std::optional<int>(0) : digits(zone, colon ? 4 : 3, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  std::int64_t const seconds = *hours * 3600 + *minutes * 60;
  return zone.front() == '-' ? -seconds : seconds;
}

} // namespace

std::string format_seconds(Time time) {
  std::int64_t us = 0;
  auto const t = broken_down(time, us);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

std::string format_milliseconds(Time time) {
  std::int64_t us = 0;
  auto const t = broken_down(time, us);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, us / 1000);
}

std::string format_microseconds(Time time) {
  std::int64_t us = 0;
  auto const t = broken_down(time, us);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, us);
}

std::optional<Time> parse_time(std::string_view text) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  auto const year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  auto const hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  std::chrono::year_month_day const date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;

  std::size_t at = 19;
  std::int64_t fraction_us = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t unit = 100'000;
    for (++at; at < text.size() && text::is_digit(text[at]); ++at, unit /= 10) {
      fraction_us += unit * (text[at] - '0');
    }
    if (at == 20) return std::nullopt;
  }
  auto const offset = zone_offset(text.substr(at));
  if (!offset) return std::nullopt;
  auto const days = std::chrono::sys_days{date}.time_since_epoch().count();
  std::int64_t const seconds =
      std::int64_t{days} * 86'400 + *hour * 3600 + *minute * 60 + *second - *offset;
  return Time{seconds * kMicrosecondsPerSecond + fraction_us};
}

Time SystemClock::now() const {
  auto const since = std::chrono::system_clock::now().time_since_epoch();
  return Time{std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

} // namespace vitrine
