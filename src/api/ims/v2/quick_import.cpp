// POST /v2/cloudimages/quickimport/action (contract: ims-api 6.5).
#include "api/ims/imports.hpp"
#include "service/access.hpp"

namespace vitrine::api::ims {
namespace {

std::vector<Fault> faults() {
  auto all = import_faults();
  all.insert(all.end(), {Fault::not_offered, Fault::forbidden});
  return all;
}

} // namespace

Endpoint quick_import() {
  return {.spec = {.verb = Verb::post,
                   .path = "/v2/cloudimages/quickimport/action",
                   .aliases = {"/v2.1/cloudimages/quickimport/action"},
                   .name = "ims.v2.quick_import",
                   .family = &ims_family,
                   .guard = Guard::token,
                   .audit = "image.create",
                   .errors = faults(),
                   .summary = "Make an image from a raw or zvhd2 file in a bucket, as a job."},
          .fields = import_infos(Creator::quick),
          .run = [](Context& context, Services& services) -> Result<Reply> {
            auto const object = TRY(read_object(context.body));
            auto const* const action =
                names_data_disk(object) ? "ims:dataImages:create" : "ims:serverImages:create";
            TRY(services.access.require(services.access.action(action), context.caller));
            return submit_import(context, object, Creator::quick, false, services);
          },
          .begin = {}};
}

} // namespace vitrine::api::ims
