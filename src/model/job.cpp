#include "model/job.hpp"

#include <algorithm>
#include <array>

namespace vitrine::model {

constexpr std::array<std::string_view, 4> kNames = {"INIT", "RUNNING", "SUCCESS", "FAIL"};

std::string_view name_of(JobStatus status) noexcept {
  return kNames[static_cast<std::size_t>(status)];
}

std::optional<JobStatus> job_status_named(std::string_view name) noexcept {
  auto const at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<JobStatus>(at - kNames.begin());
}

} // namespace vitrine::model
