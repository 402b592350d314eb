#include "formats/probe.hpp"

#include <array>

namespace vitrine::formats {
namespace {

struct Row {
  std::string_view name;
  Nature nature;
};

constexpr std::array kRows = {Row{"raw", Nature::plain},
#define X(name, nature) Row{#name, Nature::nature},
                              VITRINE_FORMATS(X)
#undef X
};

} // namespace

std::string_view name_of(Format format) noexcept {
  return kRows[static_cast<std::size_t>(format)].name;
}
Nature nature_of(Format format) noexcept { return kRows[static_cast<std::size_t>(format)].nature; }

Result<> check_virtual_size(std::uint64_t bytes) {
  if (bytes > kVirtualBytesMax) return unsafe("has a virtual size out of range");
  return {};
}

std::span<Probe const> probes() {
  static std::array const all = {
#define X(name, nature) name##_probe(),
      VITRINE_FORMATS(X)
#undef X
  };
  return all;
}

} // namespace vitrine::formats
