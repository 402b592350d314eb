// SHA-256, in lower-case hex.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st; // EVP_MD_CTX of OpenSSL

namespace vitrine {

/// Of bytes that come piece by piece. Not thread-safe.
class Sha256 {
public:
  Sha256();
  void add(std::span<std::byte const> bytes);
  /// Of what was added; the next bytes begin anew.
  std::string take_hex();

private:
  struct Free {
    void operator()(evp_md_ctx_st* ended) const noexcept;
  };

  void begin();

  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256_hex(std::string_view bytes);

} // namespace vitrine
