// Pure text helpers: UTF-8, hex, base64url, percent-coding, ASCII case. No locale, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::text {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_alnum(char c) noexcept { return is_digit(c) || is_alpha(c); }
constexpr bool is_hex_digit(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;
std::string_view trim(std::string_view text) noexcept; ///< strips spaces and tabs at both ends
std::vector<std::string_view> split(std::string_view text, char separator);

/// Lower-case hex of bytes.
std::string hex(std::span<std::uint8_t const> bytes);
/// Bytes of hex text; nothing when a digit is wrong or the length odd.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);
/// base64url without padding (RFC 4648 section 5).
std::string base64url(std::span<std::uint8_t const> bytes);
std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);

/// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text) noexcept;
/// The text with U+FFFD for every byte that is no part of UTF-8.
std::string to_utf8(std::string_view text);
/// The text with `\n`, `\r`, `\t` and `\xNN` in place of control characters, for a terminal.
std::string printable(std::string_view text);
/// Number of code points; `text` must be well-formed.
std::size_t length_utf8(std::string_view text) noexcept;

/// Decodes %XX (RFC 3986); `plus_is_space` for query strings. Nothing when an escape is malformed.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// Encodes all but the unreserved characters `A-Za-z0-9-._~`.
std::string percent_encode(std::string_view text);
/// Escapes & < > for text between tags of HTML or XML; no value of an attribute.
std::string escape_html(std::string_view text);

/// Decimal integer, optional leading '-', the whole text, within int64; nothing otherwise.
std::optional<std::int64_t> parse_int(std::string_view text) noexcept;

} // namespace vitrine::text
