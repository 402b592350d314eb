#include "store/s3/checksum.hpp"

#include <array>
#include <openssl/evp.h>
#include <zlib.h>

namespace vitrine::store::s3 {

void Checksum::add(std::span<std::byte const> bytes) {
  if (bytes.empty()) return; // zlib begins anew for bytes that are nowhere
  value_ = static_cast<std::uint32_t>(
      crc32_z(value_, reinterpret_cast<Bytef const*>(bytes.data()), bytes.size()));
  size_bytes_ += bytes.size();
}

void Checksum::append(Checksum const& next) {
  value_ = static_cast<std::uint32_t>(
      crc32_combine(value_, next.value_, static_cast<z_off_t>(next.size_bytes_)));
  size_bytes_ += next.size_bytes_;
}

std::string Checksum::text() const {
  std::array<unsigned char, 4> bytes{};
  for (unsigned i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<unsigned char>(value_ >> (24 - 8 * i));
  std::array<unsigned char, 9> encoded{}; // with the zero at its end
  auto const length = EVP_EncodeBlock(encoded.data(), bytes.data(), bytes.size());
  return {encoded.begin(), encoded.begin() + length};
}

} // namespace vitrine::store::s3
