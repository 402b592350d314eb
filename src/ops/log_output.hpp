// Where log lines go: a descriptor behind a buffer, so that a busy server does not pay a system
// call for each line. A buffered line is written within 50 ms, at exit, or with the next urgent
// one.
#pragma once

#include "base/result.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

namespace vitrine::ops {

/// Thread-safe. One for each process; lives until the process ends.
class LogOutput {
public:
  static LogOutput& instance();

  /// Appends to a file from now on, or to standard error when `path` is empty. What was buffered
  /// goes to the old place. Errors: `invalid_value`; the place then stays.
  Result<> open(std::string const& path);
  /// Adds a line and its end. `urgent`: it has been written when the call returns.
  void add(std::string_view line, bool urgent);
  void flush();

private:
  LogOutput() = default;
  void write_loop();
  void write_buffered();

  std::mutex mutex_;
  std::condition_variable filled_;
  std::string buffer_;
  int descriptor_{2};
  bool has_thread_{false};
  bool ends_in_cut_line_{false};
};

} // namespace vitrine::ops
