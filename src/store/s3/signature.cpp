#include "store/s3/signature.hpp"

#include "base/hash.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <span>

namespace vitrine::store::s3 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::size_t kDayCharacters = 8;

using Hash = std::array<std::uint8_t, 32>;

std::string_view as_text(Hash const& hash) {
  return {reinterpret_cast<char const*>(hash.data()), hash.size()};
}

Hash hmac(std::string_view key, std::string_view text) {
  Hash out{};
  unsigned length = 0;
  auto const* const bytes = reinterpret_cast<unsigned char const*>(text.data());
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, text.size(), out.data(),
             &length) != nullptr);
  return out;
}

// Names in lower case and in order, values trimmed.
std::map<std::string, std::string> canonical_headers(std::vector<net::Header> const& headers) {
  std::map<std::string, std::string> sorted;
  for (auto const& header : headers)
    sorted.emplace(text::to_lower(header.name), text::trim(header.value));
  return sorted;
}

} // namespace

std::string format_date(Time time) {
  auto text = format_seconds(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string encode_path(std::string_view path) {
  std::string out;
  for (bool first = true; auto const part : text::split(path, '/')) {
    if (!first) out += '/';
    out += text::percent_encode(part);
    first = false;
  }
  return out;
}

std::string encode_query(Query query) {
  for (auto& [name, value] : query) {
    name = text::percent_encode(name);
    value = text::percent_encode(value);
  }
  std::ranges::sort(query);
  std::string out;
  for (auto const& [name, value] : query)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

std::string authorization(ToSign const& request, Credentials const& credentials,
                          std::string_view region, Time time) {
  std::string headers;
  std::string names;
  for (auto const& [name, value] : canonical_headers(request.headers)) {
    headers += fmt::format("{}:{}\n", name, value);
    names += fmt::format("{}{}", names.empty() ? "" : ";", name);
  }
  auto const canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path,
                  encode_query(request.query), headers, names, request.payload_sha256);
  auto const date = format_date(time);
  auto const day = std::string_view(date).substr(0, kDayCharacters);
  auto const scope = fmt::format("{}/{}/s3/aws4_request", day, region);
  auto const text = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, date, scope, sha256_hex(canonical));

  auto key = hmac("AWS4" + credentials.secret_key, day);
  for (auto const word : {region, std::string_view("s3"), std::string_view("aws4_request")})
    key = hmac(as_text(key), word);
  return fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm,
                     credentials.access_key, scope, names, text::hex(hmac(as_text(key), text)));
}

} // namespace vitrine::store::s3
