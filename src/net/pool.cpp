#include "net/pool.hpp"

#include <csignal>
#include <pthread.h>

namespace vitrine::net {

Pool::Pool(std::string name, unsigned threads, std::size_t queue_max)
    : queue_max_(queue_max), idle_(threads) {
  threads_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

void Pool::finish() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
  threads_.clear();
}

bool Pool::submit(Job job) {
  {
    std::lock_guard const lock(mutex_);
    if (queue_.size() >= queue_max_ + idle_) return false;
    queue_.push_back(std::move(job));
  }
  work_.notify_one();
  return true;
}

std::size_t Pool::queued() const {
  std::lock_guard const lock(mutex_);
  return queue_.size() > idle_ ? queue_.size() - idle_ : 0;
}

void Pool::run() {
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    --idle_;
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    ++idle_;
  }
}

} // namespace vitrine::net
