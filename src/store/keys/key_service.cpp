#include "store/keys/key_service.hpp"

#include "base/text.hpp"
#include "store/keys/gcm.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <tuple>

namespace vitrine::store {
namespace {

// nonce, sealed key, tag
constexpr std::size_t kNonceBytes = std::tuple_size_v<Gcm::Nonce>;
constexpr std::size_t kSealedBytes = Secret::kBytes + Gcm::kTagBytes;

std::string associated(std::string_view key, std::string_view bound_to) {
  return fmt::format("vitrine data key 1\n{}\n{}", key, bound_to);
}

} // namespace

std::string wrap_with(Secret const& master, std::string_view key, Secret const& data_key,
                      std::string_view bound_to) {
  Gcm::Nonce nonce{};
  CHECK(RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) == 1);
  std::array<std::uint8_t, kNonceBytes + kSealedBytes> out{};
  std::ranges::copy(nonce, out.begin());
  Gcm(master, Gcm::Direction::seal)
      .seal(nonce, associated(key, bound_to), std::as_bytes(data_key.bytes()),
            reinterpret_cast<std::byte*>(out.data() + kNonceBytes));
  return text::hex(out);
}

Result<Secret> unwrap_with(Secret const& master, WrappedKey const& wrapped,
                           std::string_view bound_to) {
  auto const bytes = text::from_hex(wrapped.text);
  if (bytes && bytes->size() == kNonceBytes + kSealedBytes) {
    Gcm::Nonce nonce{};
    std::copy_n(bytes->begin(), kNonceBytes, nonce.begin());
    Secret data_key;
    bool const is_whole = Gcm(master, Gcm::Direction::open)
                              .open(nonce, associated(wrapped.key, bound_to),
                                    std::as_bytes(std::span(*bytes).subspan(kNonceBytes)),
                                    std::as_writable_bytes(data_key.room()).data());
    if (is_whole) return data_key;
  }
  return error(Fault::internal, "the stored data key is damaged");
}

} // namespace vitrine::store
