#include "convert/files.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace vitrine::convert {
namespace {

constexpr std::size_t kReadBytes = 1U << 20U;

Error failed(std::string_view what) {
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
    return error(Fault::store_full, "no space left to convert the image");
  }
  return error(Fault::unavailable,
               "cannot " + std::string(what) + " a file of a conversion: " + std::strerror(errno));
}

class File final : public StoredBytes {
public:
  File(int descriptor, std::uint64_t size, std::shared_ptr<void> kept)
      : descriptor_(descriptor), size_(size), kept_(std::move(kept)) {}
  ~File() override { ::close(descriptor_); }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return size_; }
  [[nodiscard]] int descriptor() const noexcept override { return descriptor_; }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return kReadBytes; }

  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    while (!into.empty()) {
      auto const count = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("read");
      if (count == 0) return error(Fault::unavailable, "a file of a conversion became shorter");
      offset += static_cast<std::uint64_t>(count);
      into = into.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

private:
  int const descriptor_;
  std::uint64_t const size_;
  std::shared_ptr<void> const kept_;
};

} // namespace

Result<std::unique_ptr<FileSink>> FileSink::create(std::string const& path) {
  int const descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return failed("make");
  return std::unique_ptr<FileSink>(new FileSink(descriptor));
}

FileSink::~FileSink() { ::close(descriptor_); }

Result<> FileSink::write(formats::Bytes bytes) {
  while (!bytes.empty()) {
    auto const count =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(position_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("write");
    position_ += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<> FileSink::zeros(std::uint64_t count) {
  position_ += count;
  return {};
}

Result<> FileSink::finish() {
  if (::ftruncate(descriptor_, static_cast<off_t>(position_)) != 0) return failed("write");
  return {};
}

Result<std::unique_ptr<StoredBytes>> open_file(std::string const& path,
                                               std::shared_ptr<void> kept) {
  int const descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return failed("open");
  struct stat known{};
  if (::fstat(descriptor, &known) != 0) {
    ::close(descriptor);
    return failed("open");
  }
  return std::make_unique<File>(descriptor, static_cast<std::uint64_t>(known.st_size),
                                std::move(kept));
}

} // namespace vitrine::convert
