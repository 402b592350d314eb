// POST /v2/cloudimages/quickimport/action (contract: ims-api 6.5).
#include "api/ims/imports.hpp"
#include "api/ims/v1/job_reply.hpp"
#include "service/access.hpp"

namespace vitrine::api::ims {
namespace {

// A data disk image is an action of its own.
Result<> require_action(Request<Creation> const& request, Services& services) {
  bool const data = request.body_value.kind == "DataImage";
  auto const action = data ? "ims:dataImages:create" : "ims:serverImages:create";
  return services.access.require(services.access.action(action), request.caller);
}

std::vector<Fault> faults() {
  auto all = import_faults();
  all.push_back(Fault::not_offered);
  return all;
}

} // namespace

Endpoint quick_import() {
  return endpoint<Creation>(
      {.verb = Verb::post,
       .path = "/v2/cloudimages/quickimport/action",
       .aliases = {"/v2.1/cloudimages/quickimport/action"},
       .name = "ims.v2.quick_import",
       .family = &ims_family,
       .guard = Guard::token,
       .audit = "image.create",
       .errors = faults(),
       .summary = "Make an image from a raw or zvhd2 file in a bucket, as a job."},
      import_fields(Creator::quick),
      [](Request<Creation> const& request, Services& services) -> Result<Reply> {
        TRY(require_action(request, services));
        auto const order = TRY(import_order(request, request.body_value, Creator::quick, services));
        return job_reply(TRY(services.jobs.submit(request.caller, order)));
      });
}

} // namespace vitrine::api::ims
