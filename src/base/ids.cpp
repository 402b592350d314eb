#include "base/ids.hpp"

#include "base/result.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <sys/random.h>

namespace vitrine {
namespace {

// getrandom is a system call; a thread draws 4 KiB at a time and spends it.
void random_bytes(std::span<std::uint8_t> out) {
  thread_local std::array<std::uint8_t, 4096> pool;
  thread_local std::size_t left = 0;
  if (left < out.size()) {
    CHECK(getrandom(pool.data(), pool.size(), 0) == static_cast<ssize_t>(pool.size()));
    left = pool.size();
  }
  auto const begin = pool.begin() + static_cast<std::ptrdiff_t>(pool.size() - left);
  std::copy_n(begin, out.size(), out.begin());
  std::fill_n(begin, out.size(), std::uint8_t{0});
  left -= out.size();
}

} // namespace

std::string new_uuid() {
  std::array<std::uint8_t, 16> bytes;
  random_bytes(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  auto text = text::hex(bytes);
  for (std::size_t at : {8U, 13U, 18U, 23U})
    text.insert(at, 1, '-');
  return text;
}

std::string new_hex_id() {
  std::array<std::uint8_t, 16> bytes;
  random_bytes(bytes);
  return text::hex(bytes);
}

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !text::is_hex_digit(text[i])) return false;
  }
  return true;
}

bool is_project_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return text::is_alnum(c) || c == '.' || c == '_' || c == '-';
  });
}

bool is_job_id(std::string_view text) noexcept {
  return text.size() == 32 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_bucket_name(std::string_view text) noexcept {
  auto const is_plain = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
  return text.size() >= 3 && text.size() <= 63 && is_plain(text.front()) && is_plain(text.back()) &&
         text.find("..") == std::string_view::npos &&
         std::ranges::all_of(text, [&](char c) { return is_plain(c) || c == '.' || c == '-'; });
}

} // namespace vitrine
