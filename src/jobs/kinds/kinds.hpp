// The kinds of jobs there are. A new one is a file here and a line in kinds.cpp.
#pragma once

#include "base/result.hpp"
#include "jobs/engine/context.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace vitrine::service {
class Sharing;
}

namespace vitrine::jobs {

struct JobKind {
  std::string_view name; ///< contract: job-types.tsv
  /// Does the work, or what an earlier attempt left of it. Success: the items tell how the job
  /// ends. An error of the kind `unavailable`: another attempt follows; any other ends the job with
  /// it.
  std::function<Result<>(JobContext&)> run;
  /// Ends what `run` left as failed, in the items and the audit trail: the job is given up. Errors
  /// as of `run`. None: the job itself ends with the failure of `run`.
  std::function<Result<>(JobContext&)> fail_rest{};
};

/// What the kinds work with; must outlive them.
struct KindServices {
  service::Sharing& sharing;
};

std::vector<JobKind> all_kinds(KindServices const& services);

} // namespace vitrine::jobs
