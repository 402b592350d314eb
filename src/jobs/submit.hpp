// The door to jobs for the API: hand one in, ask how it stands.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "jobs/engine/bell.hpp"
#include "jobs/kinds/pairs.hpp"
#include "model/caller.hpp"
#include "model/job.hpp"
#include "store/metadata/database.hpp"

#include <string_view>
#include <vector>

namespace vitrine::jobs {

/// A job as its reader sees it.
struct JobReport {
  model::Job job;
  PairArguments pairs; ///< of jobs that work on pairs
  /// Which projects failed, by image; shorter than the images while the job runs.
  std::vector<service::PairFailures> failures;
};

/// Thread-safe.
class Submitter {
public:
  Submitter(store::Database& database, Clock const& clock, Bell& bell)
      : database_(database), clock_(clock), bell_(bell) {}

  /// Stores the job, durably, with an audit event that says it is pending, and wakes a worker.
  /// Errors: `job_not_stored`, nothing was done then; `outcome_unknown`, the job may be stored or
  /// not.
  Result<JobId> submit(model::Caller const& caller, std::string_view kind,
                       PairArguments const& arguments);
  /// Error: `job_not_found`, also for a job of another project (an administrator sees all).
  Result<JobReport> report(model::Caller const& caller, JobId const& id);

private:
  store::Database& database_;
  Clock const& clock_;
  Bell& bell_;
};

} // namespace vitrine::jobs
