#include "api/image/data/digest.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <string>

namespace vitrine::api::image {
namespace {

struct Known {
  std::string_view name;
  HashAlgorithm algorithm;
  std::size_t bytes;
};
constexpr std::array<Known, 2> kKnown = {
    {{"sha-256", HashAlgorithm::sha256, 32}, {"sha-512", HashAlgorithm::sha512, 64}}};

// A byte sequence of RFC 8941: base64 between colons, its padding may be missing. What may follow
// it after a semicolon means nothing here.
std::optional<std::vector<std::uint8_t>> bytes_in(std::string_view value) {
  auto const item = text::trim(value.substr(0, value.find(';')));
  if (item.size() < 2 || item.front() != ':' || item.back() != ':') return std::nullopt;
  std::string base64(item.substr(1, item.size() - 2));
  if (base64.find_first_of("-_") != std::string::npos) return std::nullopt;
  std::ranges::replace(base64, '+', '-');
  std::ranges::replace(base64, '/', '_');
  for (int padding = 0; padding < 2 && base64.ends_with('='); ++padding)
    base64.pop_back();
  return text::from_base64url(base64);
}

Result<> read_field(std::string_view field, std::string_view members,
                    std::vector<service::ExpectedHash>& hashes) {
  for (auto const member : text::split(members, ',')) {
    auto const equals = member.find('=');
    auto const name = text::trim(member.substr(0, equals));
    auto const* const known = std::ranges::find_if(
        kKnown, [&](Known const& each) { return text::equals_ignoring_case(each.name, name); });
    if (known == kKnown.end()) continue;
    auto const value =
        equals == std::string_view::npos ? std::nullopt : bytes_in(member.substr(equals + 1));
    if (!value || value->size() != known->bytes) {
      return error(Fault::invalid_value,
                   fmt::format("{}: {} must be the base64 of {} bytes between colons.", field,
                               known->name, known->bytes),
                   std::string(field));
    }
    hashes.push_back({known->algorithm, text::hex(*value), field});
  }
  return {};
}

} // namespace

Result<std::vector<service::ExpectedHash>> expected_hashes(net::RequestHead const& head) {
  std::vector<service::ExpectedHash> hashes;
  for (auto const& header : head.headers) {
    for (auto const field : {kContentDigest, kReprDigest}) {
      if (!text::equals_ignoring_case(header.name, field)) continue;
      TRY(read_field(field, header.value, hashes));
    }
  }
  return hashes;
}

} // namespace vitrine::api::image
