// DELETE /v1/cloudimages/members, with a body (contract: ims-api 5.2, L1).
#include "api/ims/v1/job_reply.hpp"
#include "api/kit/endpoint.hpp"
#include "jobs/submit.hpp"
#include "service/sharing.hpp"

namespace vitrine::api::ims {
namespace {

struct Body {
  std::vector<ImageId> images;
  std::vector<ProjectId> projects;
};

Result<Reply> run(Request<Body> const& request, Services& services) {
  auto const& [images, projects] = request.body_value;
  TRY(services.sharing.require_some_visible(request.caller, images));
  jobs::PairArguments const pairs{.images = images, .projects = projects};
  return job_reply(TRY(services.jobs.submit(request.caller, jobs::kRemoveMembers, pairs)));
}

} // namespace

Endpoint remove_members() {
  return endpoint<Body>(
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
      {required("images", &Body::images, Size{1, limits::share_images}, "Images to take back."),
       required("projects", &Body::projects, Size{1, limits::share_projects},
                "Projects that lose access."),
       not_offered<Body>("domains", "Sharing with domains is not offered."),
       not_offered<Body>("organizations", "Sharing with organizations is not offered.")},
      run);
}

} // namespace vitrine::api::ims
