#include "jobs/submit.hpp"

#include "jobs/engine/caller_json.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/jobs.hpp"

namespace vitrine::jobs {

Result<JobId> Submitter::submit(model::Caller const& caller, std::string_view kind,
                                PairArguments const& arguments) {
  model::Job job;
  job.id = {new_hex_id()};
  job.kind = kind;
  job.project = caller.project;
  job.arguments_json = arguments.to_json();
  job.caller_json = caller_to_json(caller);
  job.submitted_at = clock_.now();
  job.total = static_cast<std::int64_t>(arguments.images.size() * arguments.projects.size());
  auto const stored = database_.write([&](store::Connection& connection) -> Result<> {
    TRY(store::Jobs(connection).insert(job, arguments.images));
    return store::Audit(connection)
        .record(model::AuditSubmission{.kind = event_of(kind),
                                       .time = job.submitted_at,
                                       .caller = caller,
                                       .job = job.id,
                                       .images = arguments.images,
                                       .projects = arguments.projects});
  });
  if (!stored) {
    // That may not be told as "nothing was done".
    if (stored.error().fault == Fault::outcome_unknown) return Error(stored.error());
    return error(Fault::job_not_stored);
  }
  bell_.ring();
  return job.id;
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
    if (!works_on_pairs(report.job.kind)) return report;
    report.pairs = TRY(PairArguments::from_json(report.job.arguments_json));
    for (auto const& item : TRY(jobs.items(id)))
      report.failures.push_back(TRY(failures_from_json(item.failures_json)));
    return report;
  });
}

} // namespace vitrine::jobs
