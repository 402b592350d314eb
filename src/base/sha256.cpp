#include "base/sha256.hpp"

#include "base/result.hpp"
#include "base/text.hpp"

#include <array>
#include <cstdint>
#include <openssl/evp.h>

namespace vitrine {
namespace {

using Hash = std::array<std::uint8_t, 32>;

} // namespace

void Sha256::Free::operator()(evp_md_ctx_st* ended) const noexcept { EVP_MD_CTX_free(ended); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_);
  begin();
}

void Sha256::begin() { CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1); }

void Sha256::add(std::span<std::byte const> bytes) {
  CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::take_hex() {
  Hash hash{};
  CHECK(EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1);
  begin();
  return text::hex(hash);
}

std::string sha256_hex(std::string_view bytes) {
  Hash hash{};
  CHECK(EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return text::hex(hash);
}

} // namespace vitrine
