// PUT /v1/cloudimages/members (contract: ims-api 5.3, L1).
#include "api/ims/v1/job_reply.hpp"
#include "api/kit/endpoint.hpp"
#include "jobs/submit.hpp"
#include "service/sharing.hpp"

namespace vitrine::api::ims {
namespace {

struct Body {
  std::vector<ImageId> images;
  ProjectId project;
  std::string status;
  std::optional<std::string> vault;
};

Result<> check_project(Body const& body, model::Caller const& caller) {
  if (body.project != caller.project && !caller.is_admin) return error(Fault::project_mismatch);
  return {};
}

Result<Reply> run(Request<Body> const& request, Services& services) {
  auto const& body = request.body_value;
  auto const& caller = request.caller;
  auto const status = model::member_status_named(body.status);
  if (!status || *status == model::MemberStatus::pending) {
    return error(Fault::invalid_body, "status must be accepted or rejected", "status");
  }
  TRY(services.sharing.require_some_visible(caller, body.images));
  jobs::PairArguments const pairs{
      .images = body.images, .projects = {body.project}, .status = *status};
  return job_reply(
      TRY(services.jobs.submit(caller, jobs::pairs_order(jobs::kAnswerShares, pairs))));
}

} // namespace

Endpoint answer_shares() {
  return endpoint<Body>(
      {.verb = Verb::put,
       .path = "/v1/cloudimages/members",
       .name = "ims.v1.answer_shares",
       .family = &ims_family,
       .action = "ims:images:share",
       .audit = "image.member.update",
       .errors = {Fault::empty_body, Fault::invalid_body, Fault::invalid_image_id,
                  Fault::invalid_project_id, Fault::project_mismatch, Fault::forbidden,
                  Fault::image_not_found, Fault::job_not_stored},
       .summary = "Accept or reject several images shared with a project, as a job."},
      {required("images", &Body::images, Size{1, limits::share_images}, "Images that were shared."),
       checked(
           required("project_id", &Body::project, "The project that answers: the caller's own."),
           check_project),
       required("status", &Body::status, "accepted or rejected."),
       optional("vault_id", &Body::vault,
                "Needed to accept a full-server image; there are no vaults here.")},
      run);
}

} // namespace vitrine::api::ims
