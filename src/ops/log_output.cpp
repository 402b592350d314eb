#include "ops/log_output.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace vitrine::ops {
namespace {

constexpr std::chrono::milliseconds kDelay{50};
constexpr std::size_t kBufferBytes = 64U << 10U;

} // namespace

// Never destroyed, so that the last destructors can still log.
LogOutput& LogOutput::instance() {
  static LogOutput& output = *[] {
    std::atexit([] { instance().flush(); });
    return new LogOutput();
  }();
  return output;
}

Result<> LogOutput::open(std::string const& path) {
  int descriptor = STDERR_FILENO;
  if (!path.empty()) {
    descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (descriptor < 0) {
      return error(Fault::invalid_value,
                   fmt::format("cannot open '{}': {}", path, std::strerror(errno)), "log.file");
    }
  }
  std::lock_guard const lock(mutex_);
  write_buffered();
  if (descriptor_ != STDERR_FILENO) ::close(descriptor_);
  descriptor_ = descriptor;
  ends_in_cut_line_ = false;
  return {};
}

void LogOutput::add(std::string_view line, bool urgent) {
  std::lock_guard const lock(mutex_);
  bool const was_empty = buffer_.empty();
  buffer_.append(line).push_back('\n');
  if (urgent || buffer_.size() >= kBufferBytes) {
    write_buffered();
  } else if (!std::exchange(has_thread_, true)) {
    std::thread([this] { write_loop(); }).detach();
  } else if (was_empty) {
    filled_.notify_one();
  }
}

void LogOutput::flush() {
  std::lock_guard const lock(mutex_);
  write_buffered();
}

void LogOutput::write_loop() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      filled_.wait(lock, [this] { return !buffer_.empty(); });
    }
    std::this_thread::sleep_for(kDelay);
    flush();
  }
}

/// Called with the mutex. A place that takes no bytes loses them: the log must not stop the server.
/// A line that was cut there gets its end before the next one.
void LogOutput::write_buffered() {
  if (ends_in_cut_line_) buffer_.insert(buffer_.begin(), '\n');
  std::string_view left = buffer_;
  while (!left.empty()) {
    auto const count = ::write(descriptor_, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  auto const written = buffer_.size() - left.size();
  if (written > 0) ends_in_cut_line_ = buffer_[written - 1] != '\n';
  buffer_.clear();
}

} // namespace vitrine::ops
