#include "store/metadata/jobs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::store {
namespace {

model::Job row_to_job(Row const& row) {
  model::Job job;
  job.sequence = row.integer(0);
  job.id = row.id<JobId>(1);
  job.kind = row.string(2);
  job.project = row.id<ProjectId>(3);
  job.status = model::job_status_named(row.text(4)).value();
  job.arguments_json = row.string(5);
  job.caller_json = row.string(6);
  job.submitted_at = row.time(7);
  job.began_at = row.maybe_time(8);
  job.ended_at = row.maybe_time(9);
  job.done = row.integer(10);
  job.total = row.integer(11);
  job.attempt = row.integer(12);
  job.worker = row.string(13);
  if (!row.text(14).empty()) job.failure = error(fault_named(row.text(14)), row.string(15));
  job.image = row.id<ImageId>(16);
  job.image_name = row.string(17);
  job.parent = row.id<JobId>(18);
  job.state_json = row.string(19);
  job.secret = row.string(20);
  return job;
}

} // namespace

Result<> Jobs::insert(model::Job& job, model::JobLane lane, std::vector<ImageId> const& images) {
  TRY(connection_.run(sql::insert_job,
                      {job.id, job.kind, job.project, job.arguments_json, job.caller_json,
                       job.submitted_at, job.total, job.image, job.image_name,
                       static_cast<std::int64_t>(lane), job.parent, job.secret},
                      [&](Row const& row) { job.sequence = row.integer(0); }));
  TRY(connection_.run_each(sql::insert_job_image, rows_for(images, [&](ImageId const& image) {
                             return Params{image, job.sequence};
                           })));
  return {};
}

Result<> Jobs::insert_sub_jobs(model::Job const& job, std::vector<model::SubJob> const& parts) {
  for (auto const& part : parts) {
    model::Job sub;
    sub.id = {new_hex_id()};
    sub.kind = part.kind;
    sub.project = job.project;
    sub.arguments_json = part.arguments_json;
    sub.caller_json = job.caller_json;
    sub.parent = job.id;
    sub.submitted_at = job.submitted_at;
    sub.total = 1;
    sub.image_name = part.image_name;
    TRY(insert(sub, model::JobLane::sub_job, {}));
  }
  return {};
}

Result<std::vector<model::Job>> Jobs::sub_jobs(JobId const& id) {
  std::vector<model::Job> out;
  TRY(connection_.run(sql::list_sub_jobs, {id},
                      [&](Row const& row) { out.push_back(row_to_job(row)); }));
  return out;
}

Result<> Jobs::begin_sub_job(JobId const& id, Time now) {
  TRY(connection_.run(sql::begin_sub_job, {id, now}));
  return {};
}

Result<> Jobs::advance_sub_job(JobId const& id, std::int64_t done, std::int64_t total) {
  TRY(connection_.run(sql::advance_sub_job, {id, done, total}));
  return {};
}

Result<> Jobs::end_sub_job(JobId const& id, Time now, std::optional<Error> const& failure) {
  auto const status = failure ? model::JobStatus::fail : model::JobStatus::success;
  auto const fault = failure ? name_of(failure->fault) : std::string_view{};
  auto const detail = failure ? std::string_view(failure->detail) : std::string_view{};
  TRY(connection_.run(sql::end_sub_job, {id, name_of(status), now, fault, detail}));
  return {};
}

Result<> Jobs::end_sub_jobs(model::Job const& job, Time now, Error const& failure) {
  TRY(connection_.run(sql::end_sub_jobs, {job.id, name_of(model::JobStatus::fail), now,
                                          name_of(failure.fault), failure.detail}));
  return {};
}

Result<model::Job> Jobs::get(JobId const& id) {
  std::optional<model::Job> job;
  TRY(connection_.run(sql::get_job, {id}, [&](Row const& row) { job = row_to_job(row); }));
  if (!job) return error(Fault::job_not_found, id.text);
  return std::move(*job);
}

Result<std::optional<model::Job>> Jobs::claim(model::JobLane lane,
                                              std::span<std::string_view const> kinds,
                                              std::string_view worker, Time now, Time lease_until) {
  std::optional<model::Job> job;
  auto const known = fmt::format("|{}|", fmt::join(kinds, "|"));
  TRY(connection_.run(sql::next_job,
                      {now, static_cast<std::int64_t>(lane), known, now + -kForsaken_us},
                      [&](Row const& row) { job = row_to_job(row); }));
  if (!job) return job;
  TRY(connection_.run(sql::claim_job, {job->id, worker, lease_until, now}));
  job->status = model::JobStatus::running;
  job->worker = worker;
  ++job->attempt;
  if (!job->began_at) job->began_at = now;
  return job;
}

Result<bool> Jobs::renew(JobId const& id, std::string_view worker, std::int64_t done,
                         std::int64_t units, Time lease_until) {
  return TRY(connection_.run(sql::renew_job, {id, worker, done, lease_until, units})) > 0;
}

Result<bool> Jobs::advance(JobId const& id, std::string_view worker, std::int64_t done,
                           std::int64_t total, Time lease_until) {
  return TRY(connection_.run(sql::advance_job, {id, worker, done, lease_until, total})) > 0;
}

Result<bool> Jobs::extend(JobId const& id, std::string_view worker, Time lease_until) {
  return TRY(connection_.run(sql::extend_job_lease, {id, worker, lease_until})) > 0;
}

Result<> Jobs::release(JobId const& id, std::string_view worker, Time not_before) {
  TRY(connection_.run(sql::release_job, {id, worker, not_before}));
  return {};
}

Result<> Jobs::rest(JobId const& id, std::string_view worker, Time not_before) {
  TRY(connection_.run(sql::rest_job, {id, worker, not_before}));
  return {};
}

Result<> Jobs::hand_back(JobId const& id, std::string_view worker, Time not_before) {
  TRY(connection_.run(sql::hand_back_job, {id, worker, not_before}));
  return {};
}

Result<std::int64_t> Jobs::release_all() { return connection_.run(sql::release_all_jobs, {}); }

Result<bool> Jobs::end(model::Job const& job, std::string_view worker, model::JobStatus status,
                       Time now, std::optional<Error> const& failure) {
  auto const fault = failure ? name_of(failure->fault) : std::string_view{};
  auto const detail = failure ? std::string_view(failure->detail) : std::string_view{};
  auto const ended =
      TRY(connection_.run(sql::end_job, {job.id, worker, name_of(status), now, fault, detail}));
  if (ended == 0) return false;
  TRY(connection_.run(sql::release_job_images, {job.sequence}));
  return true;
}

Result<> Jobs::set_image(JobId const& id, ImageId const& image, std::string_view name) {
  TRY(connection_.run(sql::set_job_image, {id, image, name}));
  return {};
}

Result<> Jobs::set_state(JobId const& id, std::string_view state_json) {
  TRY(connection_.run(sql::set_job_state, {id, state_json}));
  return {};
}

Result<std::int64_t> Jobs::count_open(std::span<std::string_view const> kinds,
                                      ProjectId const& project) {
  std::int64_t count = 0;
  for (auto const kind : kinds) {
    TRY(connection_.run(sql::count_jobs_of_kind, {kind, project},
                        [&](Row const& row) { count += row.integer(0); }));
  }
  return count;
}

Result<bool> Jobs::is_open(std::string_view kind, ImageId const& image) {
  bool found = false;
  TRY(connection_.run(sql::find_open_job_of_image, {kind, image},
                      [&](Row const&) { found = true; }));
  return found;
}

Result<> Jobs::add_item(JobId const& id, JobItem const& item) {
  TRY(connection_.run(sql::insert_job_item, {id, item.position, item.image, item.failures_json}));
  return {};
}

Result<std::vector<JobItem>> Jobs::items(JobId const& id) {
  std::vector<JobItem> out;
  TRY(connection_.run(sql::list_job_items, {id}, [&](Row const& row) {
    out.push_back({row.integer(0), row.id<ImageId>(1), row.string(2)});
  }));
  return out;
}

Result<std::int64_t> Jobs::remove_expired(Time before, std::int64_t limit) {
  std::vector<JobId> expired;
  TRY(connection_.run(sql::list_expired_jobs, {before, limit},
                      [&](Row const& row) { expired.push_back(row.id<JobId>(0)); }));
  auto const rows = rows_for(expired, [](JobId const& id) { return Params{id}; });
  TRY(connection_.run_each(sql::delete_job_items, rows));
  TRY(connection_.run_each(sql::delete_job, rows));
  return static_cast<std::int64_t>(expired.size());
}

Result<OpenJobs> Jobs::open_jobs() {
  OpenJobs open;
  TRY(connection_.run(sql::count_open_jobs, {}, [&](Row const& row) {
    open.count = row.integer(0);
    if (open.count > 0) open.oldest = row.time(1);
  }));
  return open;
}

} // namespace vitrine::store
