// Measures how long something takes.
#pragma once

#include "ops/metrics.hpp"

#include <chrono>

namespace vitrine::ops {

inline void observe_since(Histogram& seconds, std::chrono::steady_clock::time_point began) {
  auto const took = std::chrono::steady_clock::now() - began;
  seconds.observe(std::chrono::duration<double>(took).count());
}

/// Adds its lifetime to a histogram, which must outlive it.
class Timer {
public:
  explicit Timer(Histogram& seconds) : seconds_(seconds) {}
  ~Timer() { observe_since(seconds_, began_); }
  Timer(Timer const&) = delete;
  Timer& operator=(Timer const&) = delete;

private:
  Histogram& seconds_;
  std::chrono::steady_clock::time_point const began_{std::chrono::steady_clock::now()};
};

} // namespace vitrine::ops
