// The door to jobs for the API: hand one in, ask how it stands.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "jobs/engine/bell.hpp"
#include "jobs/kinds/pairs.hpp"
#include "model/audit.hpp"
#include "model/caller.hpp"
#include "model/job.hpp"
#include "service/encryption.hpp"
#include "store/metadata/database.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::jobs {

/// How many jobs may be under way at once (contract: ims-api 4.3).
struct FlowLimit {
  std::vector<std::string_view> kinds; ///< that count together
  bool of_project;                     ///< of the project that asks, or of all
  std::int64_t most;
};

/// What is handed in as a job. A field that is not said to be optional is needed.
struct Order {
  std::string_view kind;
  std::string arguments_json;        ///< everything that the work needs
  model::AuditKind audit;            ///< of the event that tells of the submission
  std::vector<ImageId> images;       ///< that are touched
  std::vector<ProjectId> projects{}; ///< that are touched; optional
  std::int64_t units{1};             ///< of work; the progress counts them
  bool in_turn{false}; ///< waits for earlier ones of the project that touch one of the images
  model::JobLane lane{model::JobLane::quick};
  /// Chooses the lane in the transaction that stores the job, where only rows tell; optional.
  std::function<Result<model::JobLane>(store::Connection&)> choose_lane{};
  ImageId about{};                       ///< the audit trail names it, not the job; optional
  ImageId image{};                       ///< that the entities tell of from the start; optional
  std::string image_name{};              ///< as `image`
  std::vector<model::SubJob> sub_jobs{}; ///< that are known from the start; optional
  std::optional<FlowLimit> limit{};
  /// That it needs a service which is not there: told when nothing else is wrong (contract: ims-api
  /// 2.1). Optional.
  std::optional<Error> unserved{};
  std::string secret{}; ///< sealed; what it asks other services with; optional
  /// Judges the request, or writes what must be there with the job, in its transaction. Its error
  /// is that of `submit`. Optional.
  service::KeyWork with{};
};

/// Shares, unshares or answers, by kind.
Order pairs_order(std::string_view kind, PairArguments const& arguments);

/// A job as its reader sees it.
struct JobReport {
  model::Job job;
  PairArguments pairs; ///< of jobs that work on pairs
  /// Which projects failed, by image; shorter than the images while the job runs.
  std::vector<service::PairFailures> failures;
  /// Of kinds that are told with sub jobs; one of them is told as its own.
  std::optional<std::vector<model::Job>> sub_jobs;
};

/// Thread-safe.
class Submitter {
public:
  /// All must outlive it.
  Submitter(store::Database& database, service::Encryption const& encryption, Clock const& clock,
            Bell& bell)
      : database_(database), encryption_(encryption), clock_(clock), bell_(bell) {}

  /// Stores the job, durably, with an audit event that says it is pending, and wakes a worker.
  /// Errors, after which nothing was done: that of `Order::with`; `too_many_jobs`;
  /// `Order::unserved`; `job_not_stored`. `outcome_unknown`: the job may be stored or not.
  Result<JobId> submit(model::Caller const& caller, Order const& order);
  /// Stores the job inside a unit of work that does what its caller asked for, and tells the audit
  /// trail of that. `announce` is due when the work is committed.
  Result<> add(store::Connection& connection, model::Caller const& caller, Order const& order);
  /// Wakes a worker.
  void announce() { bell_.ring(); }
  /// Error: `job_not_found`, also for a job of another project (an administrator sees all).
  Result<JobReport> report(model::Caller const& caller, JobId const& id);

private:
  [[nodiscard]] model::Job row_of(model::Caller const& caller, Order const& order) const;
  static Result<> judge(store::Connection& connection, service::KeyStates& states,
                        model::Caller const& caller, Order const& order);

  store::Database& database_;
  service::Encryption const& encryption_;
  Clock const& clock_;
  Bell& bell_;
};

} // namespace vitrine::jobs
