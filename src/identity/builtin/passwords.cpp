#include "identity/builtin/passwords.hpp"

#include "base/text.hpp"

#include <array>
#include <fmt/format.h>
#include <sodium.h>

namespace vitrine::identity::builtin {
namespace {

template <std::size_t Bytes>
std::array<std::uint8_t, Bytes> random_bytes() {
  std::array<std::uint8_t, Bytes> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

template <std::size_t Bytes>
std::string random_base64() {
  auto const bytes = random_bytes<Bytes>();
  std::string text(sodium_base64_encoded_len(Bytes, sodium_base64_VARIANT_ORIGINAL_NO_PADDING),
                   '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  text.pop_back(); // the terminating NUL
  return text;
}

// Random digits in place of a digest: checking against it costs as much as against a real one.
std::string make_decoy(Passwords::Cost cost) {
  CHECK(sodium_init() >= 0);
  return fmt::format("$argon2id$v=19$m={},t={},p=1${}${}", cost.memory_kib, cost.passes,
                     random_base64<16>(), random_base64<32>());
}

} // namespace

Passwords::Passwords(Cost cost) : cost_(cost), decoy_(make_decoy(cost)) {}

Result<std::string> Passwords::hash(std::string_view password) {
  std::array<char, crypto_pwhash_STRBYTES> out{};
  auto const passes = static_cast<unsigned long long>(cost_.passes);
  auto const memory_bytes = static_cast<std::size_t>(cost_.memory_kib) * 1024;
  if (crypto_pwhash_str_alg(out.data(), password.data(), password.size(), passes, memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return error(Fault::unavailable, "not enough memory to hash a password");
  }
  return std::string(out.data());
}

bool Passwords::verify(std::optional<std::string> const& stored, std::string_view password) {
  ++verifications_;
  auto const& hash = stored && !stored->empty() ? *stored : decoy_;
  bool const matches =
      crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
  return matches && stored.has_value();
}

std::string new_secret() {
  CHECK(sodium_init() >= 0);
  return "s" + text::base64url(random_bytes<32>());
}

} // namespace vitrine::identity::builtin
