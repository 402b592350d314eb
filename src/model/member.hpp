// A project an image is shared with.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace vitrine::model {

enum class MemberStatus : std::uint8_t { pending, accepted, rejected };

std::string_view name_of(MemberStatus status) noexcept;
std::optional<MemberStatus> member_status_named(std::string_view name) noexcept;

struct Member {
  ImageId image;
  ProjectId project;
  MemberStatus status{MemberStatus::pending};
  Time created_at;
  Time updated_at;
};

} // namespace vitrine::model
