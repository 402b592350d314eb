// Bounds-checked reads of numbers and text out of bytes, and arithmetic on what a stranger wrote.
//
// A probe asks its Source for as many bytes as it will look at; a field outside of them is our own
// mistake and stops the process.
#pragma once

#include "base/result.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace vitrine::formats {

using Bytes = std::span<std::byte const>;

inline Bytes part(Bytes bytes, std::size_t offset, std::size_t length) {
  CHECK(offset <= bytes.size() && length <= bytes.size() - offset);
  return bytes.subspan(offset, length);
}

template <class T>
T big_endian(Bytes bytes, std::size_t offset) {
  T value = 0;
  for (auto const byte : part(bytes, offset, sizeof(T))) {
    value = static_cast<T>(value << 8 | static_cast<T>(byte));
  }
  return value;
}

template <class T>
T little_endian(Bytes bytes, std::size_t offset) {
  T value = 0;
  auto const field = part(bytes, offset, sizeof(T));
  for (std::size_t i = sizeof(T); i-- > 0;) {
    value = static_cast<T>(value << 8 | static_cast<T>(field[i]));
  }
  return value;
}

inline std::uint16_t be16(Bytes b, std::size_t at) { return big_endian<std::uint16_t>(b, at); }
inline std::uint32_t be32(Bytes b, std::size_t at) { return big_endian<std::uint32_t>(b, at); }
inline std::uint64_t be64(Bytes b, std::size_t at) { return big_endian<std::uint64_t>(b, at); }
inline std::uint16_t le16(Bytes b, std::size_t at) { return little_endian<std::uint16_t>(b, at); }
inline std::uint32_t le32(Bytes b, std::size_t at) { return little_endian<std::uint32_t>(b, at); }
inline std::uint64_t le64(Bytes b, std::size_t at) { return little_endian<std::uint64_t>(b, at); }
inline std::uint8_t u8(Bytes b, std::size_t at) { return big_endian<std::uint8_t>(b, at); }

/// The bytes as characters; the view is valid as long as they are.
inline std::string_view characters(Bytes bytes) noexcept {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

inline bool all_zero(Bytes bytes) noexcept {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

/// True when `text` stands at `offset`; false also when the bytes do not reach that far.
inline bool stands_at(Bytes bytes, std::size_t offset, std::string_view text) noexcept {
  return offset <= bytes.size() && text.size() <= bytes.size() - offset &&
         std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

/// True when [offset, offset + length) lies within the first `size` bytes; cannot overflow.
constexpr bool lies_within(std::uint64_t offset, std::uint64_t length,
                           std::uint64_t size) noexcept {
  return offset <= size && length <= size - offset;
}

/// a * b, nothing when it does not fit 63 bits (sizes and offsets are signed in every reader of
/// images).
constexpr std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result) || result > INT64_MAX) return std::nullopt;
  return result;
}

/// How many pieces of `piece` bytes hold `whole`; `piece` is not 0.
constexpr std::uint64_t pieces(std::uint64_t whole, std::uint64_t piece) noexcept {
  return whole / piece + (whole % piece != 0 ? 1 : 0);
}

} // namespace vitrine::formats
