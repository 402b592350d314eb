// Image formats. The input is an image; by its first byte it is also laid over an honest VHDX,
// whose headers lie too far apart to be reached by chance, or into an OVA or a ZVHD, whose
// checksums hide what they hold.
#include "formats/inspector.hpp"
#include "formats/test_image.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace {

using namespace vitrine;
using namespace vitrine::formats;

// Sizes that depend on the input alone, so that a crash can be run again.
Finding in_chunks(Bytes bytes, std::uint64_t seed) {
  Inspector inspector;
  std::optional<Finding> early;
  while (!bytes.empty()) {
    seed = seed * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    auto const longest = std::size_t{16} << (seed >> 59U) % 16;
    auto const count = std::min<std::size_t>(bytes.size(), 1 + (seed >> 33U) % longest);
    inspector.feed(bytes.first(count));
    bytes = bytes.subspan(count);
    if (!early) early = inspector.early();
  }
  auto const finding = inspector.finish();
  if (early) CHECK(early->format == finding.format);
  if (early && early->unsafe) CHECK(finding.unsafe.has_value());
  return finding;
}

void check_all(Finding const& finding) {
  constexpr std::array<std::string_view, 16> kDisks = {
      "",    "raw", "qcow2", "qcow", "vmdk", "vhd",   "vhdx", "vdi",
      "iso", "qed", "ami",   "ari",  "aki",  "ploop", "zvhd", "zvhd2"};
  constexpr std::array<std::string_view, 6> kContainers = {"",    "bare",   "ova",
                                                           "ovf", "docker", "compressed"};
  for (auto const disk : kDisks) {
    for (auto const container : kContainers) {
      auto const strict = check(finding, disk, container);
      auto const loose = check(finding, disk, container, {.allow_raw_mismatch = true});
      CHECK(!strict || loose);
      CHECK(!loose || !finding.unsafe);
      CHECK(strict || strict.error().kind() == Kind::unsupported_media);
    }
  }
}

void try_image(Bytes bytes, std::uint64_t seed) {
  Inspector inspector;
  inspector.feed(bytes);
  auto const finding = inspector.finish();
  CHECK(finding == in_chunks(bytes, seed));
  CHECK(finding.size_bytes == bytes.size());
  CHECK(!finding.unsafe || !finding.virtual_size_bytes);
  CHECK(finding.virtual_size_bytes.value_or(0) <= kVirtualBytesMax);
  check_all(finding);
}

// Pieces of the input at the places where a VHDX has something to say, checksums mended.
void try_vhdx(Bytes input) {
  static auto const honest = testing_images::vhdx();
  constexpr std::array<std::size_t, 8> kPlaces = {0x1'0008,  0x3'0008,  0x3'0010,  0x3'0030,
                                                  0x20'000a, 0x20'0020, 0x20'0060, 0x21'0000};
  auto image = honest;
  for (auto const place : kPlaces) {
    auto const count = std::min<std::size_t>(input.size(), 32);
    if (count == 0) break;
    auto const piece = input.first(count);
    if (u8(piece, 0) % 4 == 0) image.text(place, characters(piece.subspan(1)));
    input = input.subspan(count);
  }
  image.copy(0x3'0000, 0x4'0000, 4096);
  try_image(testing_images::seal_vhdx(image).bytes(), 7);
}

void try_ova(Bytes input) {
  testing_images::Image image;
  testing_images::add_member(image, "vm.ovf", {});
  try_image(testing_images::add_member(image, "disk", input).bytes(), 9);
}

// The input stands where the records do.
void try_zvhd(std::string_view cookie, Bytes input) {
  auto image = testing_images::zvhd(cookie).size(4096);
  image.text(4096, characters(input)).size(4096 + (input.size() + 4095) / 4096 * 4096);
  try_image(image.copy(0, image.size(), 4096).bytes(), 11);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = std::as_bytes(std::span(data, size));
  if (size > 0 && size <= 300 && data[0] == 'V') try_vhdx(bytes.subspan(1));
  if (size > 0 && data[0] == 'O') try_ova(bytes.subspan(1));
  if (size > 0 && data[0] == 'Z') try_zvhd(size % 2 == 0 ? "stream" : "z2strm", bytes.subspan(1));
  try_image(bytes, size);
  return 0;
}
