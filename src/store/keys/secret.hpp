// A key of 256 bits in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace vitrine::store {

/// Lies on a page of its own that is left out of core dumps and, where the system lets us lock it,
/// out of swap; it is overwritten when it goes. Not thread-safe.
class Secret {
public:
  static constexpr std::size_t kBytes = 32;

  /// All zero, to be filled through `room`. Throws std::bad_alloc.
  Secret();
  static Secret random();
  Secret(Secret&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  Secret& operator=(Secret&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Secret();

  [[nodiscard]] std::span<std::uint8_t const, kBytes> bytes() const noexcept {
    return std::span<std::uint8_t const, kBytes>(memory_, kBytes);
  }
  [[nodiscard]] std::span<std::uint8_t, kBytes> room() noexcept {
    return std::span<std::uint8_t, kBytes>(memory_, kBytes);
  }

private:
  std::uint8_t* memory_;
};

/// A text that holds keys, overwritten when it goes. As long as it was made for: growing would
/// leave copies behind.
class SecretText {
public:
  explicit SecretText(std::size_t bytes) : text_(bytes, '\0') {}
  ~SecretText();
  SecretText(SecretText const&) = delete;
  SecretText& operator=(SecretText const&) = delete;

  [[nodiscard]] std::span<char> room() noexcept { return text_; }

private:
  std::string text_;
};

/// From now on this process leaves no core dump, and no other process of its user may look into
/// it. For who holds keys.
void forbid_core_dumps() noexcept;

} // namespace vitrine::store
