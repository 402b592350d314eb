// A thread that does one duty again and again.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace vitrine::jobs {

/// The duty runs at once, then after each pause, and once more at the end. A failure is logged and
/// tried again after the next pause.
class Periodic {
public:
  Periodic(std::string name, std::chrono::milliseconds pause, std::function<Result<>()> duty);
  ~Periodic(); ///< stops

  /// Waits for the duty's last run. May be called twice.
  void stop();

private:
  void loop();

  std::string const name_;
  std::chrono::milliseconds const pause_;
  std::function<Result<>()> const duty_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool stopping_{false};
  std::thread thread_;
};

} // namespace vitrine::jobs
