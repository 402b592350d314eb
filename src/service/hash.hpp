// A hash of bytes that come one after the other.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st; // EVP_MD_CTX of OpenSSL

namespace vitrine::service {

enum class HashAlgorithm : std::uint8_t { md5, sha256, sha512 };
std::string_view name_of(HashAlgorithm algorithm) noexcept; ///< "SHA-256"

/// What a client says that the hash of data is.
struct ExpectedHash {
  HashAlgorithm algorithm; ///< sha256 or sha512
  std::string value;       ///< lower-case hex
  std::string_view field;  ///< of the request, where it says so; a constant
};
/// `invalid_value`: the data has another one.
Error differs_from(ExpectedHash const& expected, std::string_view found);

/// Not thread-safe.
class Hash {
public:
  explicit Hash(HashAlgorithm algorithm);

  void add(std::span<std::byte const> bytes);
  /// Lower-case hex. Once.
  std::string value();

private:
  struct Free {
    void operator()(evp_md_ctx_st* ended) const noexcept;
  };

  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

} // namespace vitrine::service
