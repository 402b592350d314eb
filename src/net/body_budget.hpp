// The memory that long bodies take over all connections, held within a bound.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace vitrine::net {

/// Thread-safe; must outlive its shares.
class BodyBudget {
public:
  /// Bytes set aside for one body, given back when the share goes.
  class Share {
  public:
    Share() = default;
    Share(BodyBudget& budget, std::size_t bytes) : budget_(&budget), bytes_(bytes) {}
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share() {
      if (budget_ != nullptr) budget_->left_.fetch_add(bytes_, std::memory_order_relaxed);
    }

  private:
    BodyBudget* budget_{nullptr};
    std::size_t bytes_{0};
  };

  explicit BodyBudget(std::size_t bytes_max) : left_(bytes_max) {}

  /// Nothing when fewer bytes are left.
  std::optional<Share> take(std::size_t bytes) {
    std::size_t left = left_.load(std::memory_order_relaxed);
    do {
      if (left < bytes) return std::nullopt;
    } while (!left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed));
    return Share(*this, bytes);
  }

private:
  std::atomic<std::size_t> left_;
};

} // namespace vitrine::net
