// Tells idle workers that there may be a job.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace vitrine::jobs {

/// Thread-safe. A ring is never missed: who waits names the last ring it has heard of.
class Bell {
public:
  void ring() {
    {
      std::lock_guard const lock(mutex_);
      ++rings_;
    }
    rung_.notify_all();
  }

  [[nodiscard]] std::uint64_t rings() {
    std::lock_guard const lock(mutex_);
    return rings_;
  }

  /// Returns when it rang after `heard`, or when the time is over.
  void wait(std::uint64_t heard, std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    rung_.wait_for(lock, at_most, [&] { return rings_ != heard; });
  }

private:
  std::mutex mutex_;
  std::condition_variable rung_;
  std::uint64_t rings_{0};
};

} // namespace vitrine::jobs
