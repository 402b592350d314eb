#include "ops/config_key_parts.hpp"

#include "base/ids.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>

namespace vitrine::ops {

std::optional<std::string> check_listen(std::string_view text) {
  auto const parsed = parse_host_port(text);
  return parsed ? std::nullopt : std::optional(parsed.error().detail);
}

std::optional<std::string> check_endpoint(std::string_view text) {
  if (text.empty()) return std::nullopt;
  auto const scheme = text.find("://");
  bool const known = text.starts_with("http://") || text.starts_with("https://");
  bool const clean = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
  if (!known || !clean || text.size() == scheme + 3 || text.ends_with('/')) {
    return "must be http://HOST or https://HOST, with a port or path if need be, no slash at the "
           "end";
  }
  return std::nullopt;
}

std::optional<std::string> check_network(std::string_view text) {
  auto const slash = text.find('/');
  std::string const address(text.substr(0, slash));
  std::array<unsigned char, 16> bytes{};
  bool const four = inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
  bool const six = inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
  bool valid = four || six;
  if (valid && slash != std::string_view::npos) {
    auto const length = text::parse_int(text.substr(slash + 1));
    valid = length && *length >= 0 && *length <= (four ? 32 : 128);
  }
  if (valid) return std::nullopt;
  return fmt::format("'{}' is neither an address nor a network such as 10.0.0.0/8", text);
}

// Says nothing of the value, which may hold a password.
std::optional<std::string> check_database(std::string_view text) {
  if (text.empty() || text.starts_with("postgresql://") || text.starts_with("postgres://")) {
    return std::nullopt;
  }
  return "must be postgresql://USER@HOST/DATABASE, or empty for SQLite";
}

std::optional<std::string> check_bucket(std::string_view text) {
  if (text.empty() || is_bucket_name(text)) return std::nullopt;
  return "must have 3 to 63 of a-z 0-9 . - with a letter or digit at both ends";
}

std::optional<std::string> check_allowed(std::string_view text) {
  auto const colon = text.find(':');
  bool const fits = colon != std::string_view::npos && is_project_id(text.substr(0, colon)) &&
                    is_bucket_name(text.substr(colon + 1));
  if (fits) return std::nullopt;
  return fmt::format("'{}' is not PROJECT_ID:BUCKET", text);
}

std::optional<std::string> check_prefix(std::string_view text) {
  bool const fits = std::ranges::all_of(text, [](char c) {
    return text::is_alnum(c) || std::string_view("/._-").find(c) != std::string_view::npos;
  });
  if (fits && text.size() <= 512 && !text.starts_with('/')) return std::nullopt;
  return "must have at most 512 of A-Z a-z 0-9 / . _ - and not begin with a slash";
}

std::optional<std::string> check_region(std::string_view text) {
  if (!text.empty() && text.size() <= 255) return std::nullopt;
  return "must have 1 to 255 bytes";
}

Key input_file(std::string section, std::string_view name, Place slot, std::string_view description,
               Applies applies) {
  return {std::move(section), name, std::move(slot), description, 0, 0, {}, nullptr, applies,
          NamesFile::to_read};
}

Key output_file(std::string section, std::string_view name, Place slot,
                std::string_view description) {
  return {
      std::move(section), name, std::move(slot), description, 0, 0, {}, nullptr, Applies::on_reload,
      NamesFile::to_write};
}

} // namespace vitrine::ops
