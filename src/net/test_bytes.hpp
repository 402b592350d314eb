// Stored bytes for tests: a file, with or without its descriptor shown.
#pragma once

#include "base/stored_bytes.hpp"

#include <unistd.h>

namespace vitrine::net::testing {

class FileBytes final : public StoredBytes {
public:
  enum class Way : std::uint8_t { sendfile, read };

  /// Owns the descriptor. `size_bytes` may be more than there is.
  FileBytes(int descriptor, std::uint64_t size_bytes, Way way = Way::sendfile)
      : descriptor_(descriptor), size_bytes_(size_bytes), way_(way) {}
  FileBytes(FileBytes const&) = delete;
  FileBytes& operator=(FileBytes const&) = delete;
  ~FileBytes() override { ::close(descriptor_); }

  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return size_bytes_; }
  [[nodiscard]] int descriptor() const noexcept override {
    return way_ == Way::sendfile ? descriptor_ : -1;
  }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return 1'000'000; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    auto const got = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
    if (got == static_cast<ssize_t>(into.size())) return {};
    return error(Fault::unavailable, "fewer bytes than promised");
  }

private:
  int descriptor_;
  std::uint64_t size_bytes_;
  Way way_;
};

} // namespace vitrine::net::testing
