// The log: events with fields, one line each, to standard error or a file.
//
//   log_info("job.finished", {{"job_id", id}, {"pairs", 25600}});
//   {"time":"…","level":"info","event":"job.finished","job_id":"…","pairs":25600}
//
// An event is named `subject.verb_in_past`. Fields whose name speaks of a token, a password, a
// secret or the like are never printed, whatever their value. A level that is off costs one atomic
// load.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "ops/config.hpp"

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace vitrine::ops {

/// A field of an event; a view, alive for the call.
struct LogField {
  using Value = std::variant<std::int64_t, double, bool, std::string_view>;

  LogField(std::string_view field, std::same_as<bool> auto flag) : name(field), value(flag) {}
  LogField(std::string_view field, std::integral auto number)
    requires(!std::same_as<decltype(number), bool>)
      : name(field), value(static_cast<std::int64_t>(number)) {}
  LogField(std::string_view field, double number) : name(field), value(number) {}
  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, char const* text) : LogField(field, std::string_view(text)) {}
  LogField(std::string_view field, std::string const& text)
      : LogField(field, std::string_view(text)) {}

  std::string_view name;
  Value value;
};

using LogFields = std::initializer_list<LogField>;

/// Sets level, format and place. May be called again at any time; opening the file again lets it be
/// rotated. Until the first call: level info, JSON, standard error. Errors: `invalid_value` when
/// the file cannot be opened; the log then stays as it was. Thread-safe.
Result<> configure_log(LogConfig const& config);

namespace detail {
extern std::atomic<LogLevel> log_level;
void write_log(LogLevel level, std::string_view event, LogFields fields);
} // namespace detail

inline bool log_enabled(LogLevel level) noexcept {
  return level >= detail::log_level.load(std::memory_order_relaxed);
}

/// Thread-safe; never fails towards the caller.
inline void log_debug(std::string_view event, LogFields fields = {}) {
  if (log_enabled(LogLevel::debug)) detail::write_log(LogLevel::debug, event, fields);
}
inline void log_info(std::string_view event, LogFields fields = {}) {
  if (log_enabled(LogLevel::info)) detail::write_log(LogLevel::info, event, fields);
}
inline void log_warning(std::string_view event, LogFields fields = {}) {
  if (log_enabled(LogLevel::warning)) detail::write_log(LogLevel::warning, event, fields);
}
inline void log_error(std::string_view event, LogFields fields = {}) {
  if (log_enabled(LogLevel::error)) detail::write_log(LogLevel::error, event, fields);
}

/// While it lives, the lines of this thread carry the id. The text must outlive it. Scopes nest.
class LogRequestScope {
public:
  explicit LogRequestScope(std::string_view request_id) noexcept;
  ~LogRequestScope();
  LogRequestScope(LogRequestScope const&) = delete;
  LogRequestScope& operator=(LogRequestScope const&) = delete;

private:
  std::string_view outer_;
};

struct LogLine {
  Time time;
  LogLevel level{LogLevel::info};
  std::string_view event;
  std::string_view request_id; ///< left out when empty
  LogFields fields;
};

/// Appends a line without its end. Text that is not UTF-8 loses its bytes above 127 to `?`.
void render_log_line(std::string& out, LogFormat format, LogLine const& line);

/// True for the name of a field whose value is never printed.
bool is_secret_name(std::string_view name) noexcept;

} // namespace vitrine::ops
