// POST /v1/cloudimages/dataimages/action (contract: ims-api 6.4).
#include "api/ims/imports.hpp"

namespace vitrine::api::ims {

Endpoint create_data_image() {
  return {.spec = {.verb = Verb::post,
                   .path = "/v1/cloudimages/dataimages/action",
                   .aliases = {"/v2.1/cloudimages/dataimages/action"},
                   .name = "ims.v1.create_data_image",
                   .family = &ims_family,
                   .action = "ims:dataImages:create",
                   .audit = "image.create",
                   .errors = import_faults(),
                   .summary = "Make a data disk image from a file in a bucket, as a job."},
          .fields = import_infos(Creator::data_disk),
          .run = [](Context& context, Services& services) -> Result<Reply> {
            auto const object = TRY(read_object(context.body));
            return submit_import(context, object, Creator::data_disk, false, services);
          },
          .begin = {}};
}

} // namespace vitrine::api::ims
