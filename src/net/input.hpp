// Bytes that were read from a connection and not used yet.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace vitrine::net {

/// A growing window: bytes are added behind and taken in front. One that had to grow large gives
/// its memory back once it is empty, so that idle connections stay small.
class Input {
public:
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get() + begin_, size()}; }
  [[nodiscard]] std::span<char> bytes() noexcept { return {bytes_.get() + begin_, size()}; }

  /// Room behind the bytes held, at least `bytes_min` long; valid until the next call of a member.
  std::span<char> room(std::size_t bytes_min) {
    if (capacity_ - end_ < bytes_min) make_room(bytes_min);
    return {bytes_.get() + end_, capacity_ - end_};
  }
  /// `count` bytes were written into `room`.
  void added(std::size_t count) noexcept { end_ += count; }
  /// Forgets the first `count` bytes.
  void take(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ < end_) return;
    begin_ = end_ = 0;
    if (capacity_ <= kKeptBytes) return;
    bytes_.reset();
    capacity_ = 0;
  }
  void append(std::span<char const> bytes) {
    if (bytes.empty()) return;
    std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
    added(bytes.size());
  }

private:
  static constexpr std::size_t kFirstBytes = 8U << 10U;
  static constexpr std::size_t kKeptBytes = 32U << 10U;

  void make_room(std::size_t bytes_min) {
    std::size_t wanted = capacity_ > 0 ? capacity_ : kFirstBytes;
    while (wanted - size() < bytes_min)
      wanted *= 2;
    if (wanted == capacity_) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, size());
    } else {
      auto larger = std::make_unique_for_overwrite<char[]>(wanted);
      if (!empty()) std::memcpy(larger.get(), bytes_.get() + begin_, size());
      bytes_ = std::move(larger);
      capacity_ = wanted;
    }
    end_ = size();
    begin_ = 0;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_{0};
  std::size_t begin_{0};
  std::size_t end_{0};
};

} // namespace vitrine::net
