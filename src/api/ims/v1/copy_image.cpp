// POST /v1/cloudimages/{image_id}/copy and …/cross_region_copy (contract: ims-api 7).
#include "jobs/kinds/copy_image.hpp"

#include "api/ims/fields.hpp"
#include "api/ims/path.hpp"
#include "api/ims/v1/job_reply.hpp"
#include "api/kit/endpoint.hpp"

namespace vitrine::api::ims {
namespace {

struct Body {
  ImageName name;
  std::optional<Description> description;
  std::optional<std::string> key;
  std::optional<EnterpriseProject> enterprise_project;
};

Result<Reply> run(Request<Body> const& request, Services& services) {
  auto const& body = request.body_value;
  auto const source = path_image(request);
  service::CopyRequest const copy{.source = source,
                                  .target = {new_uuid()},
                                  .name = body.name.text,
                                  .description = body.description.value_or(Description{}).text,
                                  .key = body.key.value_or(""),
                                  .enterprise_project =
                                      body.enterprise_project.value_or(EnterpriseProject{}).text};
  auto const order = jobs::copy_order(request.caller, services.copies, copy);
  return job_reply(TRY(services.jobs.submit(request.caller, order)));
}

} // namespace

Endpoint copy_image() {
  return endpoint<Body>(
      {.verb = Verb::post,
       .path = "/v1/cloudimages/{image_id}/copy",
       .aliases = {"/v2.1/cloudimages/{image_id}/copy"},
       .name = "ims.v1.copy_image",
       .family = &ims_family,
       .action = "ims:images:copy",
       .audit = "image.copy",
       .errors = {Fault::empty_body,
                  Fault::invalid_body,
                  Fault::invalid_image_id,
                  Fault::name_missing,
                  Fault::name_not_text,
                  Fault::name_too_long,
                  Fault::name_form,
                  Fault::description_too_long,
                  Fault::description_form,
                  Fault::enterprise_project_form,
                  Fault::image_not_found,
                  Fault::public_of_others,
                  Fault::share_not_accepted,
                  Fault::image_not_active,
                  Fault::full_server_not_copied,
                  Fault::iso_image,
                  Fault::image_too_large,
                  Fault::encrypted_share,
                  Fault::own_key_not_granted,
                  Fault::key_missing,
                  Fault::key_disabled,
                  Fault::new_key_same,
                  Fault::bare_metal_encrypted,
                  Fault::no_key_service,
                  Fault::new_key_missing,
                  Fault::new_key_not_granted,
                  Fault::new_key_disabled,
                  Fault::name_taken,
                  Fault::image_quota,
                  Fault::too_many_jobs,
                  Fault::job_not_stored},
       .summary = "Copy an image to a private one of the own project, as a job."},
      {required("name", &Body::name, "Name of the copy."),
       optional("description", &Body::description, "Description of the copy."),
       optional("cmk_id", &Body::key,
                "Key to encrypt the copy with; ims/default: that of the project."),
       optional("enterprise_project_id", &Body::enterprise_project, "0 or a UUID.")},
      run);
}

Endpoint copy_image_to_region() {
  return plain_endpoint({.verb = Verb::post,
                         .path = "/v1/cloudimages/{image_id}/cross_region_copy",
                         .name = "ims.v1.copy_image_to_region",
                         .family = &ims_family,
                         .action = "ims:images:copy",
                         .errors = {Fault::invalid_image_id, Fault::not_offered},
                         .summary = "Copy an image to another region: not offered.",
                         .takes_body = true},
                        [](Context&, Services&) -> Result<Reply> {
                          return error(Fault::not_offered, "there is one region");
                        });
}

} // namespace vitrine::api::ims
