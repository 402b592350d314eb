// The walk over the images of a pair job: several of them share a transaction, each leaves one
// item.
#pragma once

#include "jobs/engine/context.hpp"
#include "jobs/kinds/pairs.hpp"
#include "model/audit.hpp"
#include "service/sharing.hpp"

#include <functional>

namespace vitrine::jobs {

/// What is told of the images of a job that nothing could be done with.
struct GroupFailure {
  model::AuditKind event;
  Fault fault; ///< of their pairs
};

/// How a kind treats one image with its projects.
struct GroupWork {
  /// Inside a transaction; returns which projects failed.
  std::function<Result<service::PairFailures>(store::Connection&, service::Batch const&,
                                              ImageId const&)>
      apply;
  GroupFailure not_stored; ///< of an image whose `apply` cannot be stored
};

/// Works on every image that has no item yet, in order. Errors: those of `JobContext::commit`.
Result<> run_groups(JobContext& context, service::Sharing& sharing, PairArguments const& arguments,
                    GroupWork const& work);

/// Fails every image that has no item yet. Errors: those of `JobContext::commit`.
Result<> fail_groups(JobContext& context, service::Sharing& sharing, GroupFailure const& failure);

} // namespace vitrine::jobs
