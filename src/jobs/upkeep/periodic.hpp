// A thread that does one duty again and again.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace vitrine::jobs {

/// The duty runs at once, then after each pause, and once more at the end unless told otherwise. A
/// failure is tried again after the next pause. It is logged when it begins or is another one than
/// the time before, and its end too: what fails four times a second must not fill the log.
class Periodic {
public:
  enum class AtEnd : std::uint8_t { once_more, no_more };

  Periodic(std::string name, std::chrono::milliseconds pause, std::function<Result<>()> duty,
           AtEnd at_end = AtEnd::once_more);
  ~Periodic(); ///< stops

  /// Waits for the duty's run, the last. May be called twice.
  void stop();

private:
  void loop();
  void report(Result<> const& done);

  std::string const name_;
  std::chrono::milliseconds const pause_;
  std::function<Result<>()> const duty_;
  AtEnd const at_end_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool stopping_{false};
  std::optional<std::string> failure_; // of the last run; of the thread
  std::thread thread_;
};

} // namespace vitrine::jobs
