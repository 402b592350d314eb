#include "base/error.hpp"

#include <array>

namespace vitrine {
namespace {

struct Row {
  std::string_view name;
  Kind kind;
  std::string_view text;
};

constexpr std::array kFaults = {
#define X(name, kind, text) Row{#name, Kind::kind, text},
    VITRINE_FAULTS(X)
#undef X
};

} // namespace

Kind kind_of(Fault fault) noexcept { return kFaults[static_cast<std::size_t>(fault)].kind; }
std::string_view name_of(Fault fault) noexcept {
  return kFaults[static_cast<std::size_t>(fault)].name;
}
std::string_view text_of(Fault fault) noexcept {
  return kFaults[static_cast<std::size_t>(fault)].text;
}

Fault fault_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kFaults.size(); ++i) {
    if (kFaults[i].name == name) return static_cast<Fault>(i);
  }
  return Fault::internal;
}

} // namespace vitrine
