// Measures how long something takes.
#pragma once

#include "ops/metrics.hpp"

#include <chrono>

namespace vitrine::ops {

/// Adds its lifetime to a histogram, which must outlive it.
class Timer {
public:
  explicit Timer(Histogram& seconds) : seconds_(seconds) {}
  ~Timer() {
    auto const took = std::chrono::steady_clock::now() - began_;
    seconds_.observe(std::chrono::duration<double>(took).count());
  }
  Timer(Timer const&) = delete;
  Timer& operator=(Timer const&) = delete;

private:
  Histogram& seconds_;
  std::chrono::steady_clock::time_point const began_{std::chrono::steady_clock::now()};
};

} // namespace vitrine::ops
