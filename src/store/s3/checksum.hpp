// The CRC-32 that an object store checks what it is sent by, and keeps with the object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vitrine::store::s3 {

/// Of bytes that come piece by piece.
class Checksum {
public:
  void add(std::span<std::byte const> bytes);
  /// As if the bytes of `next` had been added.
  void append(Checksum const& next);
  /// As headers and XML have it: base64 of its four bytes, the highest first.
  [[nodiscard]] std::string text() const;

private:
  std::uint32_t value_{0};
  std::uint64_t size_bytes_{0};
};

} // namespace vitrine::store::s3
