// Compressed data of any kind: recognised by its first bytes, never unpacked.
#include "formats/probe.hpp"

namespace vitrine::formats {
namespace {

using namespace std::string_view_literals;

Probe packed(Format format, bool (*begins)(Bytes head)) {
  return {.format = format, .begins = begins, .inspect = [](Source&) -> Result<VirtualSize> {
            return VirtualSize{};
          }};
}

} // namespace

Probe gzip_probe() {
  return packed(Format::gzip, [](Bytes head) {
    constexpr unsigned kReservedFlags = 0xe0;
    return stands_at(head, 0, "\x1f\x8b\x08") &&
           (head.size() < 4 || (u8(head, 3) & kReservedFlags) == 0);
  });
}

Probe bzip2_probe() {
  return packed(Format::bzip2, [](Bytes head) {
    constexpr auto kBlock = "1AY&SY"sv;
    constexpr auto kEnd = "\x17\x72\x45\x38\x50\x90"sv;
    return stands_at(head, 0, "BZh") && (stands_at(head, 4, kBlock) || stands_at(head, 4, kEnd));
  });
}

Probe xz_probe() {
  return packed(Format::xz, [](Bytes head) {
    return stands_at(head, 0,
                     "\xfd"
                     "7zXZ\0"sv);
  });
}

Probe zstd_probe() {
  return packed(Format::zstd, [](Bytes head) { return stands_at(head, 0, "\x28\xb5\x2f\xfd"); });
}

Probe lz4_probe() {
  return packed(Format::lz4, [](Bytes head) { return stands_at(head, 0, "\x04\x22\x4d\x18"); });
}

Probe lzip_probe() {
  return packed(Format::lzip, [](Bytes head) { return stands_at(head, 0, "LZIP\x01"); });
}

Probe zip_probe() {
  return packed(Format::zip, [](Bytes head) { return stands_at(head, 0, "PK\x03\x04"); });
}

Probe sevenzip_probe() {
  return packed(Format::sevenzip,
                [](Bytes head) { return stands_at(head, 0, "7z\xbc\xaf\x27\x1c"); });
}

Probe lha_probe() {
  return packed(Format::lha, [](Bytes head) {
    return stands_at(head, 2, "-lh") && stands_at(head, 6, "-") &&
           (head.size() < 22 || u8(head, 20) <= 2);
  });
}

} // namespace vitrine::formats
