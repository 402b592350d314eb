#include "store/keys/gcm.hpp"

#include "base/result.hpp"

#include <algorithm>
#include <openssl/evp.h>

namespace vitrine::store {
namespace {

unsigned char* bytes_of(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

unsigned char const* bytes_of(std::byte const* bytes) {
  return reinterpret_cast<unsigned char const*>(bytes);
}

// The associated data, then the bytes.
void feed(EVP_CIPHER_CTX* context, Gcm::Nonce const& nonce, std::string_view associated,
          std::span<std::byte const> from, std::byte* into) {
  int count = 0;
  CHECK(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), -1) == 1);
  CHECK(EVP_CipherUpdate(context, nullptr, &count,
                         reinterpret_cast<unsigned char const*>(associated.data()),
                         static_cast<int>(associated.size())) == 1);
  if (from.empty()) return;
  CHECK(EVP_CipherUpdate(context, bytes_of(into), &count, bytes_of(from.data()),
                         static_cast<int>(from.size())) == 1);
  CHECK(static_cast<std::size_t>(count) == from.size());
}

} // namespace

void Gcm::Free::operator()(evp_cipher_ctx_st* ended) const noexcept { EVP_CIPHER_CTX_free(ended); }

Gcm::Gcm(Secret const& key, Direction direction) : context_(EVP_CIPHER_CTX_new()) {
  CHECK(context_ &&
        EVP_CipherInit_ex(context_.get(), EVP_aes_256_gcm(), nullptr, key.bytes().data(), nullptr,
                          direction == Direction::seal ? 1 : 0) == 1);
}

void Gcm::seal(Nonce const& nonce, std::string_view associated, std::span<std::byte const> plain,
               std::byte* into) {
  feed(context_.get(), nonce, associated, plain, into);
  auto* const tag = bytes_of(into + plain.size());
  int count = 0;
  CHECK(EVP_CipherFinal_ex(context_.get(), tag, &count) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag) == 1);
}

bool Gcm::open(Nonce const& nonce, std::string_view associated, std::span<std::byte const> sealed,
               std::byte* into) {
  if (sealed.size() < kTagBytes) return false;
  std::array<std::uint8_t, kTagBytes> tag{};
  auto const at = sealed.last(kTagBytes);
  std::copy_n(bytes_of(at.data()), kTagBytes, tag.begin());
  feed(context_.get(), nonce, associated, sealed.first(sealed.size() - kTagBytes), into);
  CHECK(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  std::array<std::uint8_t, kTagBytes> rest{};
  int count = 0;
  return EVP_CipherFinal_ex(context_.get(), rest.data(), &count) == 1;
}

} // namespace vitrine::store
