// Jobs as rows. All functions run inside a unit of work of `Database`.
#pragma once

#include "model/job.hpp"
#include "store/metadata/connection.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {

/// A finished group of a job: one image and which of its projects failed.
struct JobItem {
  std::int64_t position{0};
  ImageId image;
  std::string failures_json; ///< array of [index of the project, fault]; the rest succeeded
};

struct OpenJobs {
  std::int64_t count{0};
  std::optional<Time> oldest;
};

class Jobs {
public:
  explicit Jobs(Connection& connection) : connection_(connection) {}

  /// Stores a new job of a lane, which waits for earlier ones of its project on any of `images`;
  /// sets its sequence.
  Result<> insert(model::Job& job, model::JobLane lane, std::vector<ImageId> const& images);
  /// Stores the sub jobs of a job that was stored in this unit of work or before.
  Result<> insert_sub_jobs(model::Job const& job, std::vector<model::SubJob> const& parts);
  /// In the order in which they were stored.
  Result<std::vector<model::Job>> sub_jobs(JobId const& id);
  // What the holder of its job's lease tells of a sub job; one that has ended stays as it is.
  Result<> begin_sub_job(JobId const& id, Time now);
  Result<> advance_sub_job(JobId const& id, std::int64_t done, std::int64_t total);
  Result<> end_sub_job(JobId const& id, Time now, std::optional<Error> const& failure);
  /// Ends as failed what of a failed job's sub jobs has not ended.
  Result<> end_sub_jobs(model::Job const& job, Time now, Error const& failure);
  /// Error: `job_not_found`.
  Result<model::Job> get(JobId const& id);
  /// The job whose turn it is among those of a lane that may run now, marked as held by `worker`
  /// until `lease_until`; nothing when there is none. Projects take turns, each has its jobs in
  /// order. Jobs of other kinds than those are left to workers that know them, for `kForsaken_us`
  /// from when one might have taken them: once submitted, or from the end of a lease or a rest on.
  Result<std::optional<model::Job>> claim(model::JobLane lane,
                                          std::span<std::string_view const> kinds,
                                          std::string_view worker, Time now, Time lease_until);
  static constexpr std::int64_t kForsaken_us = 24 * 3600 * kMicrosecondsPerSecond;
  /// Extends the lease and stores the progress; `units` more that are done for good forget earlier
  /// attempts. False when the lease was lost: nothing more may be written.
  Result<bool> renew(JobId const& id, std::string_view worker, std::int64_t done,
                     std::int64_t units, Time lease_until);
  /// Extends the lease, and stores the progress of an attempt that would begin anew. False when the
  /// lease was lost.
  Result<bool> advance(JobId const& id, std::string_view worker, std::int64_t done,
                       std::int64_t total, Time lease_until);
  /// Extends the lease alone. False when it was lost.
  Result<bool> extend(JobId const& id, std::string_view worker, Time lease_until);
  /// Hands the job back, so that any worker may take it from `not_before` on.
  Result<> release(JobId const& id, std::string_view worker, Time not_before);
  /// As `release`, of a job that is in no trouble: earlier attempts are forgotten.
  Result<> rest(JobId const& id, std::string_view worker, Time not_before);
  /// As `release`, as if the job had not been claimed: that attempt does not count.
  Result<> hand_back(JobId const& id, std::string_view worker, Time not_before);
  /// Hands all jobs back at once, as by `release`; only where no other process works on them.
  /// Returns how many were held.
  Result<std::int64_t> release_all();
  /// Ends the job. False when the lease was lost.
  Result<bool> end(model::Job const& job, std::string_view worker, model::JobStatus status,
                   Time now, std::optional<Error> const& failure);

  /// Tells which image the job is about from now on; none when empty.
  Result<> set_image(JobId const& id, ImageId const& image, std::string_view name);
  /// Notes what a later attempt goes on from.
  Result<> set_state(JobId const& id, std::string_view state_json);
  /// Jobs of these kinds that have not ended: those of a project, or of all when it is empty.
  Result<std::int64_t> count_open(std::span<std::string_view const> kinds,
                                  ProjectId const& project);
  /// True while a job of that kind works on the image.
  Result<bool> is_open(std::string_view kind, ImageId const& image);
  Result<> add_item(JobId const& id, JobItem const& item);
  Result<std::vector<JobItem>> items(JobId const& id);
  /// Removes at most `limit` jobs that ended before `before`; returns how many.
  Result<std::int64_t> remove_expired(Time before, std::int64_t limit);
  Result<OpenJobs> open_jobs();

private:
  Connection& connection_;
};

} // namespace vitrine::store
