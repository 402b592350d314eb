// DELETE /v1/cloudimages/members, with a body (contract: ims-api 5.2, L1).
#include "api/ims/v1/job_reply.hpp"
#include "api/ims/v1/pairs_body.hpp"
#include "api/kit/endpoint.hpp"
#include "jobs/submit.hpp"
#include "service/sharing.hpp"

namespace vitrine::api::ims {
namespace {

Result<Reply> run(Request<jobs::PairArguments> const& request, Services& services) {
  TRY(services.sharing.require_some_visible(request.caller, request.body_value.images));
  return job_reply(TRY(services.jobs.submit(
      request.caller, jobs::pairs_order(jobs::kRemoveMembers, request.body_value))));
}

} // namespace

Endpoint remove_members() {
  return endpoint<jobs::PairArguments>(
      {.verb = Verb::delete_,
       .path = "/v1/cloudimages/members",
       .name = "ims.v1.remove_members",
       .family = &ims_family,
       .action = "ims:images:share",
       .audit = "image.member.delete",
       .errors = {Fault::empty_body, Fault::invalid_body, Fault::invalid_image_id,
                  Fault::invalid_project_id, Fault::not_offered, Fault::forbidden,
                  Fault::image_not_found, Fault::job_not_stored},
       .summary = "Stop sharing several images with several projects, as a job."},
      pairs_body(), run);
}

} // namespace vitrine::api::ims
