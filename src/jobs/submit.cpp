#include "jobs/submit.hpp"

#include "jobs/engine/caller_json.hpp"
#include "jobs/kinds/capture_image.hpp"
#include "jobs/kinds/deleted_images.hpp"
#include "jobs/kinds/export_image.hpp"
#include "jobs/kinds/import_image.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/jobs.hpp"

#include <fmt/format.h>

namespace vitrine::jobs {
namespace {

/// What somebody deleted is not told any more, though the job has not come to notice. That of a job
/// which works on an image is in every answer.
Result<> leave_out_deleted(store::Connection& connection, model::Job& job) {
  bool const makes = job.kind != kRegisterImage && job.kind != kExportImage;
  if (job.ended_at || !makes) return {};
  if (TRY(is_image_deleted(connection, job))) job.image = {};
  return {};
}

Result<> keep_within(store::Connection& connection, model::Caller const& caller,
                     FlowLimit const& limit) {
  auto const project = limit.of_project ? caller.project : ProjectId{};
  auto const open = TRY(store::Jobs(connection).count_open(limit.kinds, project));
  if (open < limit.most) return {};
  return error(Fault::too_many_jobs, fmt::format("at most {} at once", limit.most));
}

Result<> insert_job(store::Connection& connection, model::Job& job, Order const& order) {
  auto const waits_for = order.in_turn ? order.images : std::vector<ImageId>();
  auto lane = order.lane;
  if (order.choose_lane) lane = TRY(order.choose_lane(connection));
  store::Jobs jobs(connection);
  TRY(jobs.insert(job, lane, waits_for));
  return jobs.insert_sub_jobs(job, order.sub_jobs);
}

} // namespace

Order pairs_order(std::string_view kind, PairArguments const& arguments) {
  auto const pairs = arguments.images.size() * arguments.projects.size();
  return {.kind = kind,
          .arguments_json = arguments.to_json(),
          .audit = event_of(kind),
          .images = arguments.images,
          .projects = arguments.projects,
          .units = static_cast<std::int64_t>(pairs),
          .in_turn = true};
}

model::Job Submitter::row_of(model::Caller const& caller, Order const& order) const {
  model::Job job;
  job.id = {new_hex_id()};
  job.kind = order.kind;
  job.project = caller.project;
  job.arguments_json = order.arguments_json;
  job.caller_json = caller_to_json(caller);
  job.submitted_at = clock_.now();
  job.total = order.units;
  job.image = order.image;
  job.image_name = order.image_name;
  job.secret = order.secret;
  return job;
}

Result<> Submitter::add(store::Connection& connection, model::Caller const& caller,
                        Order const& order) {
  auto job = row_of(caller, order);
  return insert_job(connection, job, order);
}

Result<JobId> Submitter::submit(model::Caller const& caller, Order const& order) {
  auto job = row_of(caller, order);
  std::optional<Error> refused;
  auto const insert = [&](store::Connection& connection, service::KeyStates& states) -> Result<> {
    refused.reset(); // of a transaction that had to begin again
    if (auto const judged = judge(connection, states, caller, order); !judged) {
      refused = judged.error();
      return judged;
    }
    TRY(insert_job(connection, job, order));
    model::AuditSubmission event{.kind = order.audit,
                                 .time = job.submitted_at,
                                 .caller = caller,
                                 .job = job.id,
                                 .images = order.images,
                                 .projects = order.projects};
    if (!order.about.empty()) event.about = TRY(store::Images(connection).get(order.about));
    return store::Audit(connection).record(event);
  };
  auto const stored = encryption_.in_unit(
      [&](store::Database::Work const& work) { return database_.write(work); }, insert);
  if (!stored) {
    auto const& failed = stored.error();
    // That may not be told as "nothing was done".
    if (failed.fault == Fault::outcome_unknown) return Error(failed);
    if (refused && failed.kind() != Kind::unavailable) return Error(*refused);
    return error(Fault::job_not_stored);
  }
  bell_.ring();
  return job.id;
}

Result<> Submitter::judge(store::Connection& connection, service::KeyStates& states,
                          model::Caller const& caller, Order const& order) {
  if (order.with) TRY(order.with(connection, states));
  if (order.limit) TRY(keep_within(connection, caller, *order.limit));
  return order.unserved ? Result<>(*order.unserved) : Result<>();
}

Result<JobReport> Submitter::report(model::Caller const& caller, JobId const& id) {
  if (!is_job_id(id.text)) return error(Fault::job_not_found);
  return database_.read([&](store::Connection& connection) -> Result<JobReport> {
    store::Jobs jobs(connection);
    JobReport report;
    report.job = TRY(jobs.get(id));
    if (report.job.project != caller.project && !caller.is_admin) {
      return error(Fault::job_not_found, id.text);
    }
    TRY(leave_out_deleted(connection, report.job));
    if (TRY(has_sub_job(report.job))) report.sub_jobs.emplace({report.job});
    if (report.job.kind == kImportImages || report.job.kind == kCaptureVolumes) {
      report.sub_jobs = TRY(jobs.sub_jobs(id));
      for (auto& sub_job : *report.sub_jobs)
        TRY(leave_out_deleted(connection, sub_job));
    }
    if (!works_on_pairs(report.job.kind)) return report;
    report.pairs = TRY(PairArguments::from_json(report.job.arguments_json));
    for (auto const& item : TRY(jobs.items(id)))
      report.failures.push_back(TRY(failures_from_json(item.failures_json)));
    return report;
  });
}

} // namespace vitrine::jobs
