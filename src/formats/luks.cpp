// LUKS, versions 1 and 2: an encrypted volume, which is a plain disk to whoever stores it.
#include "formats/probe.hpp"

namespace vitrine::formats {
namespace {

constexpr std::string_view kMagic = "LUKS\xba\xbe";

Result<VirtualSize> inspect(Source& source) {
  auto const version = be16(TRY(source.read(0, 8, "its header")), 6);
  if (version < 1 || version > 2) return unsafe("is of an unknown version");
  TRY(source.read(0, version == 1 ? 592 : 4096, "its header"));
  return TRY(source.size());
}

} // namespace

Probe luks_probe() {
  return {.format = Format::luks,
          .begins = [](Bytes head) { return stands_at(head, 0, kMagic); },
          .inspect = inspect};
}

} // namespace vitrine::formats
