// Whether this process should be sent requests.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string_view>

namespace vitrine::ops {

/// Thread-safe, does not block: what takes long is looked at elsewhere and told here.
class Health {
public:
  using Clock = std::chrono::steady_clock;

  /// A database that has not answered for this long is taken for one that cannot be read.
  static constexpr std::chrono::seconds kAnswerAgeMax{5};

  /// What the latest look at the database, begun at `now`, found.
  void database_looked_at(bool answered, Clock::time_point now = Clock::now()) noexcept {
    answered_at_.store(answered ? now : Clock::time_point::min(), std::memory_order_relaxed);
  }
  /// The process ends once what it has begun is done.
  void drain() noexcept { draining_.store(true, std::memory_order_relaxed); }

  /// Why no request should be sent here, in words; nothing when it is ready.
  [[nodiscard]] std::optional<std::string_view>
  unready_because(Clock::time_point now = Clock::now()) const noexcept {
    if (draining_.load(std::memory_order_relaxed)) return "The server is draining.";
    auto const answered_at = answered_at_.load(std::memory_order_relaxed);
    if (answered_at == Clock::time_point::min() || now - answered_at > kAnswerAgeMax) {
      return "The database cannot be read.";
    }
    return std::nullopt;
  }

private:
  std::atomic<bool> draining_{false};
  std::atomic<Clock::time_point> answered_at_{Clock::time_point::min()};
};

} // namespace vitrine::ops
