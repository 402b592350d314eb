// GET /v1/{project_id}/jobs/{job_id} and GET /v1/cloudimages/job/{job_id} (contract: ims-api 4).
#include "api/ims/v1/job_body.hpp"
#include "api/kit/endpoint.hpp"
#include "jobs/submit.hpp"

namespace vitrine::api::ims {
namespace {

Result<Reply> answer(Context const& context, Services& services) {
  JobId const id{context.param("job_id")};
  return json_reply(200, job_body(TRY(services.jobs.report(context.caller, id))));
}

} // namespace

Endpoint show_job() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v1/{project_id}/jobs/{job_id}",
       .name = "ims.v1.show_job",
       .family = &ims_family,
       .guard = Guard::token,
       .errors = {Fault::invalid_project_id, Fault::project_mismatch, Fault::job_not_found},
       .summary = "Show how a job stands."},
      answer);
}

Endpoint show_job_progress() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v1/cloudimages/job/{job_id}",
                         .name = "ims.v1.show_job_progress",
                         .family = &ims_family,
                         .action = "ims:imageJobs:getPercentage",
                         .errors = {Fault::forbidden, Fault::job_not_found},
                         .summary = "Show how a job stands, without naming the project."},
                        answer);
}

} // namespace vitrine::api::ims
