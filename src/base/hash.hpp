// Hashes of bytes, in lower-case hex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st; // EVP_MD_CTX of OpenSSL

namespace vitrine {

enum class HashAlgorithm : std::uint8_t { md5, sha256, sha512 };
std::string_view name_of(HashAlgorithm algorithm) noexcept; ///< "SHA-256"

/// Of bytes that come piece by piece. Not thread-safe.
class Hash {
public:
  explicit Hash(HashAlgorithm algorithm);
  void add(std::span<std::byte const> bytes);
  /// Of what was added; the next bytes begin anew.
  std::string take_hex();

private:
  struct Free {
    void operator()(evp_md_ctx_st* ended) const noexcept;
  };

  void begin();

  HashAlgorithm algorithm_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_hex(std::string_view bytes);

} // namespace vitrine
