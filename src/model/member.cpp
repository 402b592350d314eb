#include "model/member.hpp"

#include <algorithm>
#include <array>

namespace vitrine::model {

constexpr std::array<std::string_view, 3> kNames = {"pending", "accepted", "rejected"};

std::string_view name_of(MemberStatus status) noexcept {
  return kNames[static_cast<std::size_t>(status)];
}

std::optional<MemberStatus> member_status_named(std::string_view name) noexcept {
  auto const at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<MemberStatus>(at - kNames.begin());
}

} // namespace vitrine::model
