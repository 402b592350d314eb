// A named, bounded pool of threads for blocking work.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vitrine::net {

/// Thread-safe. SIGPIPE is blocked on its threads: sendfile(2) knows no MSG_NOSIGNAL.
class Pool {
public:
  using Job = std::move_only_function<void()>; ///< must not throw

  /// `queue_max` jobs may wait beyond those that an idle thread takes at once.
  Pool(std::string name, unsigned threads, std::size_t queue_max);
  ~Pool() { finish(); }
  Pool(Pool const&) = delete;
  Pool& operator=(Pool const&) = delete;

  /// Runs what is queued and joins. Nothing may be submitted any more.
  void finish();
  /// False, and the job is dropped, when the queue is full.
  [[nodiscard]] bool submit(Job job);
  /// Jobs that wait for a thread.
  [[nodiscard]] std::size_t queued() const;

private:
  void run();

  std::size_t const queue_max_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job> queue_;
  std::size_t idle_{0};
  bool stopping_{false};
  std::vector<std::thread> threads_;
};

} // namespace vitrine::net
