// The form of a token: what it says, and its signed text. It holds no secret and no role.
//
//   base64url( version 1 | key id 4 | methods 1 | scope kind 1 | issued 8 | expires 8
//              | user | scope | audit | parent audit | credential | BLAKE2b-256 keyed over all
//              before )
//
// Numbers are big-endian. An id is a length byte with its bytes; 32 hex digits or an audit id
// shrink to 16.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "model/identity.hpp"
#include "store/metadata/tokens.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::identity::builtin {

/// How a user proved who they are; a set of bits.
enum class Method : std::uint8_t { password = 1, token = 2, application_credential = 4 };

struct Token {
  std::uint8_t methods{0}; ///< bits of Method
  UserId user;
  model::Scope scope;
  Time issued_at;
  Time expires_at;
  std::string audit_id;           ///< 22 characters of base64url
  std::string parent_audit_id;    ///< of the token this one was got with; empty: none
  model::CredentialId credential; ///< empty unless got with one

  [[nodiscard]] bool has(Method method) const noexcept {
    return (methods & static_cast<std::uint8_t>(method)) != 0;
  }
  friend bool operator==(Token const&, Token const&) = default;
};

/// Fresh, 128 bits of randomness.
std::string new_audit_id();
/// Fresh secret of a signing key, 64 hex digits.
std::string new_signing_secret();

/// The text of a token. At most 254 characters while all ids are 32 hex digits or shorter than 17
/// bytes.
std::string seal(Token const& token, store::SigningKey const& key);

/// A token's text taken apart, not yet believed.
class Sealed {
public:
  /// Nothing when the text cannot be a token of ours.
  static std::optional<Sealed> parse(std::string_view text);
  [[nodiscard]] std::int64_t key_id() const;
  /// What the token says; nothing when the key did not sign it.
  [[nodiscard]] std::optional<Token> open(store::SigningKey const& key) const;

private:
  explicit Sealed(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  std::vector<std::uint8_t> bytes_;
};

} // namespace vitrine::identity::builtin
