// AES-256-GCM (NIST SP 800-38D) by OpenSSL.
#pragma once

#include "store/keys/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

struct evp_cipher_ctx_st; // EVP_CIPHER_CTX of OpenSSL

namespace vitrine::store {

/// One direction with one key. OpenSSL wipes its own copy of the key. Not thread-safe.
class Gcm {
public:
  enum class Direction : std::uint8_t { seal, open };
  static constexpr std::size_t kTagBytes = 16;
  using Nonce = std::array<std::uint8_t, 12>;

  Gcm(Secret const& key, Direction direction);

  /// Writes the sealed bytes and then their tag to `into`, which has room for both. A nonce is used
  /// once with a key.
  void seal(Nonce const& nonce, std::string_view associated, std::span<std::byte const> plain,
            std::byte* into);
  /// Writes the plain bytes to `into`, which may be where `sealed` begins. False when key, nonce,
  /// associated data, sealed bytes and tag do not belong together: what was written is worth
  /// nothing then.
  [[nodiscard]] bool open(Nonce const& nonce, std::string_view associated,
                          std::span<std::byte const> sealed, std::byte* into);

private:
  struct Free {
    void operator()(evp_cipher_ctx_st* ended) const noexcept;
  };

  std::unique_ptr<evp_cipher_ctx_st, Free> const context_;
};

} // namespace vitrine::store
