// Jobs over pairs of image and project: their arguments, and the rows that tell how pairs ended.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/audit.hpp"
#include "model/member.hpp"
#include "service/sharing.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::jobs {

inline constexpr std::string_view kAddMembers = "imsAddImageMembersJob";
inline constexpr std::string_view kRemoveMembers = "imsDelImageMembersJob";
inline constexpr std::string_view kAnswerShares = "imsUpdateImageMembersJob";

/// True for the kinds whose arguments are `PairArguments`.
bool works_on_pairs(std::string_view kind) noexcept;

/// The event that each pair of a job of that kind leaves. Another kind than these is a bug.
model::AuditKind const& event_of(std::string_view kind);

/// Every image with every project. An image's place in `images` is the position of its job item.
struct PairArguments {
  std::vector<ImageId> images;
  std::vector<ProjectId> projects;
  model::MemberStatus status{model::MemberStatus::pending}; ///< of kAnswerShares: what to become

  [[nodiscard]] std::string to_json() const;
  /// Error: `internal` when the text is not what `to_json` wrote.
  static Result<PairArguments> from_json(std::string_view text);
};

/// `[[index, "fault"], …]`, as stored in a job item.
std::string failures_to_json(service::PairFailures const& failures);
Result<service::PairFailures> failures_from_json(std::string_view text);

} // namespace vitrine::jobs
