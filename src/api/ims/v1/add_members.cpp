// POST /v1/cloudimages/members (contract: ims-api 5.1, L1).
#include "api/ims/v1/job_reply.hpp"
#include "api/ims/v1/pairs_body.hpp"
#include "api/kit/endpoint.hpp"
#include "jobs/submit.hpp"
#include "service/sharing.hpp"

#include <algorithm>

namespace vitrine::api::ims {
namespace {

Result<> check_no_self(jobs::PairArguments const& pairs, model::Caller const& caller) {
  bool const self = std::ranges::find(pairs.projects, caller.project) != pairs.projects.end();
  if (self && !caller.is_admin) return error(Fault::share_with_self);
  return {};
}

Result<Reply> run(Request<jobs::PairArguments> const& request, Services& services) {
  auto const& pairs = request.body_value;
  auto const& caller = request.caller;
  TRY(services.sharing.require_some_visible(caller, pairs.images));
  return job_reply(TRY(services.jobs.submit(caller, jobs::pairs_order(jobs::kAddMembers, pairs))));
}

} // namespace

Endpoint add_members() {
  return endpoint<jobs::PairArguments>(
      {.verb = Verb::post,
       .path = "/v1/cloudimages/members",
       .name = "ims.v1.add_members",
       .family = &ims_family,
       .action = "ims:images:share",
       .audit = "image.member.create",
       .errors = {Fault::empty_body, Fault::invalid_body, Fault::invalid_image_id,
                  Fault::invalid_project_id, Fault::not_offered, Fault::share_with_self,
                  Fault::forbidden, Fault::image_not_found, Fault::job_not_stored},
       .summary = "Share several images with several projects, as a job."},
      pairs_body(checked(projects_field(), check_no_self)), run);
}

} // namespace vitrine::api::ims
