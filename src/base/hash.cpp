#include "base/hash.hpp"

#include "base/result.hpp"
#include "base/text.hpp"

#include <array>
#include <openssl/evp.h>

namespace vitrine {
namespace {

EVP_MD const* evp_of(HashAlgorithm algorithm) {
  switch (algorithm) {
  case HashAlgorithm::md5: return EVP_md5();
  case HashAlgorithm::sha256: return EVP_sha256();
  case HashAlgorithm::sha512: break;
  }
  return EVP_sha512();
}

} // namespace

std::string_view name_of(HashAlgorithm algorithm) noexcept {
  switch (algorithm) {
  case HashAlgorithm::md5: return "MD5";
  case HashAlgorithm::sha256: return "SHA-256";
  case HashAlgorithm::sha512: break;
  }
  return "SHA-512";
}

void Hash::Free::operator()(evp_md_ctx_st* ended) const noexcept { EVP_MD_CTX_free(ended); }

Hash::Hash(HashAlgorithm algorithm) : algorithm_(algorithm), context_(EVP_MD_CTX_new()) {
  CHECK(context_);
  begin();
}

void Hash::begin() { CHECK(EVP_DigestInit_ex(context_.get(), evp_of(algorithm_), nullptr) == 1); }

void Hash::add(std::span<std::byte const> bytes) {
  CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Hash::take_hex() {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  CHECK(EVP_DigestFinal_ex(context_.get(), bytes.data(), &length) == 1);
  begin();
  return text::hex(std::span(bytes).first(length));
}

std::string sha256_hex(std::string_view bytes) {
  Hash hash(HashAlgorithm::sha256);
  hash.add(std::as_bytes(std::span(bytes)));
  return hash.take_hex();
}

} // namespace vitrine
