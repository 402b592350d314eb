#include "identity/builtin/token.hpp"

#include "base/text.hpp"

#include <array>
#include <sodium.h>
#include <span>

namespace vitrine::identity::builtin {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kHeadBytes = 1 + 4 + 1 + 1 + 8 + 8;
constexpr std::size_t kTextMax = 1024;
// Length bytes above any real length mark ids that are stored as 16 bytes.
constexpr std::uint8_t kHexId = 0xFE;
constexpr std::uint8_t kAuditId = 0xFD;
constexpr std::size_t kIdMax = 0xF0;

using Bytes = std::vector<std::uint8_t>;

void put_number(Bytes& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i > 0; --i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
}

void put_id(Bytes& out, std::string_view id) {
  auto const packed = is_job_id(id)     ? text::from_hex(id) // 32 lower-case hex digits
                      : id.size() == 22 ? text::from_base64url(id)
                                        : std::nullopt;
  if (packed && packed->size() == 16) {
    out.push_back(id.size() == 22 ? kAuditId : kHexId);
    out.insert(out.end(), packed->begin(), packed->end());
    return;
  }
  CHECK(id.size() <= kIdMax);
  out.push_back(static_cast<std::uint8_t>(id.size()));
  out.insert(out.end(), id.begin(), id.end());
}

class Reader {
public:
  explicit Reader(std::span<std::uint8_t const> bytes) : bytes_(bytes) {}

  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (auto const byte : take(bytes))
      value = (value << 8U) | byte;
    return value;
  }
  std::string id() {
    auto const length = number(1);
    if (length == kHexId) return text::hex(take(16));
    if (length == kAuditId) return text::base64url(take(16));
    auto const raw = take(length);
    return {raw.begin(), raw.end()};
  }
  [[nodiscard]] bool whole() const { return !short_ && bytes_.empty(); }

private:
  std::span<std::uint8_t const> take(std::size_t count) {
    short_ = short_ || count > bytes_.size();
    if (short_) return {};
    auto const out = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return out;
  }

  std::span<std::uint8_t const> bytes_;
  bool short_{false};
};

std::array<std::uint8_t, kMacBytes> mac_of(std::span<std::uint8_t const> message,
                                           store::SigningKey const& key) {
  auto const secret = text::from_hex(key.secret);
  CHECK(secret && secret->size() == crypto_generichash_KEYBYTES);
  std::array<std::uint8_t, kMacBytes> mac{};
  crypto_generichash(mac.data(), mac.size(), message.data(), message.size(), secret->data(),
                     secret->size());
  return mac;
}

} // namespace

std::string new_audit_id() {
  std::array<std::uint8_t, 16> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return text::base64url(bytes);
}

std::string new_signing_secret() {
  std::array<std::uint8_t, crypto_generichash_KEYBYTES> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return text::hex(bytes);
}

std::string seal(Token const& token, store::SigningKey const& key) {
  Bytes out;
  out.reserve(192);
  put_number(out, kVersion, 1);
  put_number(out, static_cast<std::uint64_t>(key.id), 4);
  put_number(out, token.methods, 1);
  put_number(out, static_cast<std::uint64_t>(token.scope.kind), 1);
  put_number(out, static_cast<std::uint64_t>(token.issued_at.us), 8);
  put_number(out, static_cast<std::uint64_t>(token.expires_at.us), 8);
  put_id(out, token.user.text);
  put_id(out, token.scope.id);
  put_id(out, token.audit_id);
  put_id(out, token.parent_audit_id);
  put_id(out, token.credential.text);
  auto const mac = mac_of(out, key);
  out.insert(out.end(), mac.begin(), mac.end());
  return text::base64url(out);
}

std::optional<Sealed> Sealed::parse(std::string_view text) {
  if (text.size() > kTextMax) return std::nullopt;
  auto bytes = text::from_base64url(text);
  if (!bytes || bytes->size() < kHeadBytes + kMacBytes || bytes->front() != kVersion) {
    return std::nullopt;
  }
  return Sealed(std::move(*bytes));
}

std::int64_t Sealed::key_id() const {
  return static_cast<std::int64_t>(Reader(std::span(bytes_).subspan(1)).number(4));
}

std::optional<Token> Sealed::open(store::SigningKey const& key) const {
  auto const message = std::span(bytes_).first(bytes_.size() - kMacBytes);
  auto const mac = mac_of(message, key);
  if (sodium_memcmp(mac.data(), bytes_.data() + message.size(), kMacBytes) != 0) {
    return std::nullopt;
  }
  Reader reader(message);
  reader.number(1 + 4);
  Token token;
  token.methods = static_cast<std::uint8_t>(reader.number(1));
  auto const kind = reader.number(1);
  token.scope.kind = static_cast<model::Scope::Kind>(kind);
  token.issued_at.us = static_cast<std::int64_t>(reader.number(8));
  token.expires_at.us = static_cast<std::int64_t>(reader.number(8));
  token.user.text = reader.id();
  token.scope.id = reader.id();
  token.audit_id = reader.id();
  token.parent_audit_id = reader.id();
  token.credential.text = reader.id();
  if (!reader.whole() || kind > static_cast<std::uint64_t>(model::Scope::Kind::domain)) {
    return std::nullopt;
  }
  return token;
}

} // namespace vitrine::identity::builtin
