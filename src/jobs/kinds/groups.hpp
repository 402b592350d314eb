// The walk over the images of a pair job: several of them share a transaction, each leaves one
// item.
#pragma once

#include "jobs/engine/context.hpp"
#include "jobs/kinds/pairs.hpp"
#include "model/audit.hpp"
#include "service/sharing.hpp"

#include <functional>

namespace vitrine::jobs {

/// How a kind treats one image with its projects.
struct GroupWork {
  /// Inside a transaction; returns which projects failed.
  std::function<Result<service::PairFailures>(store::Connection&, service::Batch const&,
                                              ImageId const&)>
      apply;
  model::AuditKind event; ///< recorded by `apply`; for images where it could not run
  Fault not_stored;       ///< what the pairs of an image fail with when `apply` cannot be stored
};

/// Works on every image that has no item yet, in order. Errors: those of `JobContext::commit`.
Result<> run_groups(JobContext& context, service::Sharing& sharing, PairArguments const& arguments,
                    GroupWork const& work);

} // namespace vitrine::jobs
