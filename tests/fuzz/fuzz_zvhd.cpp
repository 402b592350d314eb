// The reader of ZVHD and ZVHD2. The input is a whole file, or, by its first byte, it is laid over
// an honest one at the places that say something, with the checksums of both headers mended: they
// hide what lies behind them.
#include "formats/test_image.hpp"
#include "formats/zvhd_convert.hpp"
#include "formats/zvhd_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace {

using namespace vitrine;
using namespace vitrine::formats;
using testing_images::Image;

constexpr std::uint64_t kDiskMax = 64U << 20U;

class Memory final : public StoredBytes {
public:
  explicit Memory(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size_bytes() const noexcept override { return bytes_.size(); }
  [[nodiscard]] std::size_t read_bytes_best() const noexcept override { return 1; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    CHECK(lies_within(offset, into.size(), bytes_.size()));
    if (!into.empty()) std::memcpy(into.data(), bytes_.data() + offset, into.size());
    return {};
  }

private:
  Bytes bytes_;
};

class Counted final : public ByteSink {
public:
  Result<> write(Bytes bytes) override { return zeros(bytes.size()); }
  Result<> zeros(std::uint64_t count) override {
    bytes_ += count;
    CHECK(bytes_ <= kDiskMax);
    return {};
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
  std::uint64_t bytes_{0};
};

void try_file(Bytes file) {
  Memory memory(file);
  Counted sink;
  auto const size = read_zvhd(memory, kDiskMax, sink, [](int) -> Result<> { return {}; });
  if (size) CHECK(*size == sink.bytes());
  if (!size)
    CHECK(size.error().fault == Fault::format_unsafe || size.error().fault == Fault::too_large);
}

Image honest(Format format) {
  std::vector<std::byte> disk(3 * zvhd::kBlockBytes);
  disk[0] = disk[2 * zvhd::kBlockBytes] = std::byte{1};
  Memory memory(disk);
  struct : ByteSink {
    Result<> write(Bytes bytes) override {
      image.text(image.size(), characters(bytes));
      return {};
    }
    Result<> zeros(std::uint64_t) override { return {}; }
    Image image;
  } sink;
  CHECK(write_zvhd(memory, format, sink, [](int) -> Result<> { return {}; }));
  return sink.image;
}

// Triples of the input: two bytes of place, one of value. Places count from the start, or from the
// end, where ZVHD2 keeps its header, its bitmap and its index.
void try_harmed(Image image, Bytes input) {
  for (; input.size() >= 3; input = input.subspan(3)) {
    auto const place = std::size_t{le16(input, 0)} % image.size();
    bool const from_end = u8(input, 0) % 2 == 1;
    image.fill(from_end ? image.size() - 1 - place : place, 1, u8(input, 2));
  }
  for (auto const header : {std::size_t{0}, image.size() - zvhd::kUnit})
    image.le32(header + zvhd::at::checksum, zvhd::checksum_of(image.bytes().subspan(header)));
  try_file(image.bytes());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static auto const first = honest(Format::zvhd);
  static auto const second = honest(Format::zvhd2);
  auto const bytes = std::as_bytes(std::span(data, size));
  if (size > 0 && data[0] == '1') try_harmed(first, bytes.subspan(1));
  if (size > 0 && data[0] == '2') try_harmed(second, bytes.subspan(1));
  try_file(bytes);
  return 0;
}
