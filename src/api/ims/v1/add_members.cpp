// POST /v1/cloudimages/members (contract: ims-api 5.1, L1).
#include "api/ims/v1/job_reply.hpp"
#include "api/kit/endpoint.hpp"
#include "jobs/submit.hpp"
#include "service/sharing.hpp"

#include <algorithm>

namespace vitrine::api::ims {
namespace {

struct Body {
  std::vector<ImageId> images;
  std::vector<ProjectId> projects;
};

Result<Reply> run(Request<Body> const& request, Services& services) {
  auto const& [images, projects] = request.body_value;
  auto const& caller = request.caller;
  if (!caller.is_admin && std::ranges::find(projects, caller.project) != projects.end()) {
    return error(Fault::share_with_self);
  }
  TRY(services.sharing.require_some_visible(caller, images));
  jobs::PairArguments const pairs{.images = images, .projects = projects};
  return job_reply(TRY(services.jobs.submit(caller, jobs::kAddMembers, pairs)));
}

} // namespace

Endpoint add_members() {
  return endpoint<Body>(
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
      {required("images", &Body::images, Size{1, limits::share_images}, "Images to share."),
       required("projects", &Body::projects, Size{1, limits::share_projects},
                "Projects that gain access."),
       not_offered<Body>("domains", "Sharing with domains is not offered."),
       not_offered<Body>("organizations", "Sharing with organizations is not offered.")},
      run);
}

} // namespace vitrine::api::ims
