#include "base/authority.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace vitrine {
namespace {

bool is_name(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    char const c = text[at];
    if (text::is_alnum(c) || std::string_view("-._~!$&'()*+,;=").contains(c)) continue;
    bool const is_escape = c == '%' && at + 2 < text.size() && text::is_hex_digit(text[at + 1]) &&
                           text::is_hex_digit(text[at + 2]);
    if (!is_escape) return false;
    at += 2;
  }
  return !text.empty();
}

bool is_ipv6(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.contains('\0')) return false;
  std::ranges::copy(text, terminated.begin());
  in6_addr address{};
  return inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

bool is_port(std::string_view text) noexcept {
  if (!std::ranges::all_of(text, text::is_digit)) return false;
  return text.empty() || text::parse_int(text).value_or(65'536) <= 65'535;
}

} // namespace

bool is_authority(std::string_view text) noexcept {
  bool const bracketed = text.starts_with('[');
  std::size_t const end = bracketed ? text.find(']') : text.find(':');
  auto const host = text.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  if (bracketed ? end == std::string_view::npos || !is_ipv6(host) : !is_name(host)) return false;
  auto const rest = text.substr(std::min(text.size(), bracketed ? end + 1 : end));
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

} // namespace vitrine
