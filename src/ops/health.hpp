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

  /// A database that has not answered for this long is taken for one that is out.
  static constexpr std::chrono::seconds kAnswerAgeMax{5};
  /// The same of a store, which may be far away.
  static constexpr std::chrono::seconds kStoreAgeMax{15};

  /// What the latest look at the database, begun at `now`, found.
  void database_looked_at(bool answered, Clock::time_point now = Clock::now()) noexcept {
    answered_at_.store(answered ? now : Clock::time_point::min(), std::memory_order_relaxed);
  }
  /// The same of the store of image data.
  void store_looked_at(bool answered, Clock::time_point now = Clock::now()) noexcept {
    store_answered_at_.store(answered ? now : Clock::time_point::min(), std::memory_order_relaxed);
  }
  /// What the latest look at the clock of the machine found, without which no store answers.
  void clock_looked_at(bool right) noexcept {
    clock_is_wrong_.store(!right, std::memory_order_relaxed);
  }
  [[nodiscard]] bool clock_is_wrong() const noexcept {
    return clock_is_wrong_.load(std::memory_order_relaxed);
  }
  /// The process ends once what it has begun is done.
  void drain() noexcept { draining_.store(true, std::memory_order_relaxed); }

  /// Why no request should be sent here, in words; nothing when it is ready.
  [[nodiscard]] std::optional<std::string_view>
  unready_because(Clock::time_point now = Clock::now()) const noexcept {
    if (draining_.load(std::memory_order_relaxed)) return "The server is draining.";
    if (is_silent(answered_at_, kAnswerAgeMax, now)) {
      return "The database cannot be read or written.";
    }
    if (clock_is_wrong()) return "The clock of the server is wrong.";
    if (is_silent(store_answered_at_, kStoreAgeMax, now)) {
      return "The image store does not answer.";
    }
    return std::nullopt;
  }

private:
  static bool is_silent(std::atomic<Clock::time_point> const& answered_at,
                        std::chrono::seconds age_max, Clock::time_point now) noexcept {
    auto const at = answered_at.load(std::memory_order_relaxed);
    return at == Clock::time_point::min() || now - at > age_max;
  }

  std::atomic<bool> draining_{false};
  std::atomic<bool> clock_is_wrong_{false};
  std::atomic<Clock::time_point> answered_at_{Clock::time_point::min()};
  std::atomic<Clock::time_point> store_answered_at_{Clock::time_point::min()};
};

} // namespace vitrine::ops
