// The memory that long bodies, or long answers, take over all connections, held within a bound.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace vitrine::net {

/// Thread-safe; must outlive its shares.
class BodyBudget {
public:
  /// Bytes set aside for one body, given back when the share goes. Of one thread at a time.
  class Share {
  public:
    Share() = default;
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share() {
      if (budget_ != nullptr) budget_->left_.fetch_add(bytes_, std::memory_order_relaxed);
    }

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  private:
    friend class BodyBudget;
    BodyBudget* budget_{nullptr};
    std::size_t bytes_{0};
  };

  explicit BodyBudget(std::size_t bytes_max) : left_(bytes_max) {}

  /// Makes it a share of `bytes`, which is no less than it has. False, and no change, when fewer
  /// would be left than `spared`.
  bool grow(Share& share, std::size_t bytes, std::size_t spared = 0) {
    auto const more = bytes - share.bytes_;
    std::size_t left = left_.load(std::memory_order_relaxed);
    do {
      if (left < more || left - more < spared) return false;
    } while (!left_.compare_exchange_weak(left, left - more, std::memory_order_relaxed));
    share.budget_ = this;
    share.bytes_ = bytes;
    return true;
  }

private:
  std::atomic<std::size_t> left_;
};

} // namespace vitrine::net
