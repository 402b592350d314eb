// POST /v1/cloudimages/dataimages/action (contract: ims-api 6.4).
#include "api/ims/imports.hpp"
#include "api/ims/v1/job_reply.hpp"

namespace vitrine::api::ims {

Endpoint create_data_image() {
  return endpoint<Creation>(
      {.verb = Verb::post,
       .path = "/v1/cloudimages/dataimages/action",
       .aliases = {"/v2.1/cloudimages/dataimages/action"},
       .name = "ims.v1.create_data_image",
       .family = &ims_family,
       .action = "ims:dataImages:create",
       .audit = "image.create",
       .errors = import_faults(),
       .summary = "Make a data disk image from a file in a bucket, as a job."},
      import_fields(Creator::data_disk),
      [](Request<Creation> const& request, Services& services) -> Result<Reply> {
        auto const order =
            TRY(import_order(request, request.body_value, Creator::data_disk, services));
        return job_reply(TRY(services.jobs.submit(request.caller, order)));
      });
}

} // namespace vitrine::api::ims
