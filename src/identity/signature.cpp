#include "identity/signature.hpp"

#include "base/hash.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sodium.h>
#include <utility>

namespace vitrine::identity {
namespace {

constexpr std::string_view kAlgorithm = "SDK-HMAC-SHA256";
constexpr std::string_view kScopeEnd = "sdk_request";
constexpr std::string_view kDateHeader = "X-Sdk-Date";
constexpr std::size_t kDateCharacters = 16; // 20251125T081500Z
constexpr std::size_t kDayCharacters = 8;
constexpr std::size_t kSignedHeadersMax = 100;

using Pairs = std::vector<std::pair<std::string, std::string>>;

unsigned char const* bytes_of(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}

std::string_view view(Mac const& mac) {
  return {reinterpret_cast<char const*>(mac.data()), mac.size()};
}

// Only this form: parse_time takes many, and two texts of one time would be two signatures.
std::optional<Time> time_of(std::string_view date) {
  if (date.size() != kDateCharacters || date[8] != 'T' || date[15] != 'Z') return std::nullopt;
  return parse_time(fmt::format("{}-{}-{}T{}:{}:{}Z", date.substr(0, 4), date.substr(4, 2),
                                date.substr(6, 2), date.substr(9, 2), date.substr(11, 2),
                                date.substr(13, 2)));
}

// The values after the algorithm: `Access=…, SignedHeaders=…, Signature=…`, in any order.
struct Fields {
  std::optional<std::string_view> access, credential, headers, signature;
};

std::optional<Fields> fields_of(std::string_view text) {
  Fields fields;
  for (auto const part : text::split(text, ',')) {
    auto const trimmed = text::trim(part);
    auto const equals = trimmed.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    auto const name = trimmed.substr(0, equals);
    auto* const field = name == "Access"          ? &fields.access
                        : name == "Credential"    ? &fields.credential
                        : name == "SignedHeaders" ? &fields.headers
                        : name == "Signature"     ? &fields.signature
                                                  : nullptr;
    if (field == nullptr || *field) return std::nullopt;
    *field = trimmed.substr(equals + 1);
  }
  bool const whole = fields.headers && fields.signature && !fields.access != !fields.credential;
  return whole ? std::optional(fields) : std::nullopt;
}

// Tells key and scope of `AK/yyyymmdd/region/service/sdk_request`; false when it is not that.
bool read_credential(std::string_view credential, Signature& signature) {
  auto const slash = credential.find('/');
  if (slash == std::string_view::npos) return false;
  signature.access_key = credential.substr(0, slash);
  signature.scope = credential.substr(slash + 1);
  auto const parts = text::split(signature.scope, '/');
  return parts.size() == 4 && parts[3] == kScopeEnd &&
         parts[0] == std::string_view(signature.date).substr(0, kDayCharacters);
}

bool read_mac(std::string_view text, Mac& mac) {
  auto const bytes = text::from_hex(text);
  if (!bytes || bytes->size() != mac.size()) return false;
  std::ranges::copy(*bytes, mac.begin());
  return true;
}

std::optional<std::string> canonical_path(std::string_view path) {
  auto const decoded = text::percent_decode(path, false);
  if (!decoded) return std::nullopt;
  std::string out;
  for (auto const segment : text::split(*decoded, '/'))
    out += text::percent_encode(segment) + "/";
  // The part behind the last slash of a path that ends in one is empty, and adds none.
  if (decoded->ends_with('/')) out.pop_back();
  return out;
}

std::optional<Pairs> query_pairs(std::string_view query, bool plus_is_space) {
  Pairs pairs;
  for (auto const part : text::split(query, '&')) {
    if (part.empty()) continue;
    auto const equals = std::min(part.find('='), part.size());
    auto const value = equals < part.size() ? part.substr(equals + 1) : std::string_view{};
    auto key = text::percent_decode(part.substr(0, equals), plus_is_space);
    auto decoded = text::percent_decode(value, plus_is_space);
    if (!key || !decoded) return std::nullopt;
    pairs.emplace_back(std::move(*key), std::move(*decoded));
  }
  return pairs;
}

std::string joined(Pairs const& pairs) {
  std::string out;
  for (auto const& [key, value] : pairs) {
    if (!out.empty()) out += '&';
    out += text::percent_encode(key) + "=" + text::percent_encode(value);
  }
  return out;
}

// Form B: keys ignoring case, and only the first value of each.
std::optional<std::string> first_values(Pairs pairs, bool writes) {
  Pairs kept;
  for (auto& pair : pairs) {
    if (std::ranges::find(kept, pair.first, &Pairs::value_type::first) == kept.end()) {
      kept.push_back(std::move(pair));
    } else if (writes) {
      return std::nullopt;
    }
  }
  std::ranges::stable_sort(
      kept, {}, [](auto const& pair) { return text::to_lower(text::percent_encode(pair.first)); });
  return joined(kept);
}

// What Go's url.Values.Encode makes: sorted by key, all values, spaces as `+`.
std::string form_encoded(Pairs pairs) {
  std::ranges::stable_sort(pairs, {}, &Pairs::value_type::first);
  auto const plain = joined(pairs);
  std::string out;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    bool const space = plain.compare(i, 3, "%20") == 0;
    out += space ? '+' : plain[i];
    if (space) i += 2;
  }
  return out;
}

// Form B takes a run of white space for one.
std::string folded(std::string_view value) {
  std::string out;
  for (char const c : value) {
    bool const space = c == ' ' || c == '\t';
    if (space && out.ends_with(' ')) continue;
    out += space ? ' ' : c;
  }
  return out;
}

std::optional<std::string> canonical_headers(Signature const& signature,
                                             net::RequestHead const& head) {
  std::string out;
  for (auto const& name : signature.headers) {
    auto const is_named = [&](net::Header const& header) {
      return text::equals_ignoring_case(header.name, name);
    };
    if (std::ranges::count_if(head.headers, is_named) != 1) return std::nullopt;
    auto const value = text::trim(std::ranges::find_if(head.headers, is_named)->value);
    out += name + ":" + (signature.scope.empty() ? std::string(value) : folded(value)) + "\n";
  }
  return out;
}

std::string text_to_sign(Signature const& signature, std::string_view canonical) {
  auto const hash = sha256_hex(canonical);
  if (signature.scope.empty()) return fmt::format("{}\n{}\n{}", kAlgorithm, signature.date, hash);
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, signature.date, signature.scope, hash);
}

Mac key_of(std::string_view secret, std::string_view scope) {
  std::string const start = "SDK" + std::string(secret);
  auto const parts = text::split(scope, '/');
  Mac key = hmac(start, parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i)
    key = hmac(view(key), parts[i]);
  return key;
}

} // namespace

bool shows_signature(net::RequestHead const& head) noexcept {
  auto const value = head.header("Authorization").value_or("");
  return value.starts_with(kAlgorithm) &&
         (value.size() == kAlgorithm.size() || value[kAlgorithm.size()] == ' ');
}

std::optional<Signature> read_signature(net::RequestHead const& head) {
  if (!shows_signature(head)) return std::nullopt;
  auto const fields = fields_of(head.header("Authorization")->substr(kAlgorithm.size()));
  auto const date = head.header(kDateHeader).value_or("");
  auto const time = time_of(date);
  if (!fields || !time) return std::nullopt;
  Signature signature{
      .access_key = {}, .scope = {}, .headers = {}, .date = std::string(date), .time = *time};
  if (fields->access) {
    signature.access_key = *fields->access;
  } else if (!read_credential(*fields->credential, signature)) {
    return std::nullopt;
  }
  if (signature.access_key.empty() || !read_mac(*fields->signature, signature.mac)) {
    return std::nullopt;
  }
  for (auto const name : text::split(*fields->headers, ';'))
    signature.headers.push_back(text::to_lower(name));
  auto const signs = [&](std::string_view name) {
    return std::ranges::find(signature.headers, name) != signature.headers.end();
  };
  bool const bound = signs("host") && signs("x-sdk-date");
  if (!bound || signature.headers.size() > kSignedHeadersMax) return std::nullopt;
  return signature;
}

std::vector<std::string> signed_texts(Signature const& signature, net::RequestHead const& head,
                                      std::span<std::string const> payload_hashes, bool has_body) {
  std::string_view const target = head.target;
  auto const mark = std::min(target.find('?'), target.size());
  bool const chained = !signature.scope.empty();
  auto const path = canonical_path(target.substr(0, mark));
  auto pairs = query_pairs(mark < target.size() ? target.substr(mark + 1) : "", chained);
  auto const headers = canonical_headers(signature, head);
  if (!path || !pairs || !headers) return {};
  auto const canonical = [&](std::string_view query, std::string_view hash) {
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", head.method, *path, query, *headers,
                       fmt::join(signature.headers, ";"), hash);
  };
  std::vector<std::string> texts;
  if (chained && head.method == "POST" && !has_body && !pairs->empty()) {
    auto const hash = sha256_hex(form_encoded(*pairs));
    texts.push_back(text_to_sign(signature, canonical("", hash)));
  }
  std::optional<std::string> query;
  if (chained) {
    query = first_values(std::move(*pairs), head.method != "GET" && head.method != "HEAD");
  } else {
    std::ranges::sort(*pairs);
    query = joined(*pairs);
  }
  if (!query) return texts;
  for (auto const& hash : payload_hashes)
    texts.push_back(text_to_sign(signature, canonical(*query, hash)));
  return texts;
}

bool is_signed_by(std::string_view secret, Signature const& signature,
                  std::span<std::string const> texts) {
  auto const key = signature.scope.empty() ? std::string(secret)
                                           : std::string(view(key_of(secret, signature.scope)));
  bool right = false;
  for (auto const& text : texts) {
    auto const mac = hmac(key, text);
    right |= sodium_memcmp(mac.data(), signature.mac.data(), mac.size()) == 0;
  }
  return right;
}

Mac hmac(std::string_view key, std::string_view text) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(text), text.size());
  Mac mac;
  crypto_auth_hmacsha256_final(&state, mac.data());
  return mac;
}

} // namespace vitrine::identity
