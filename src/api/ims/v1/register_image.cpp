// PUT /v1/cloudimages/{image_id}/upload (contract: ims-api 6.7).
#include "api/ims/fields.hpp"
#include "api/ims/path.hpp"
#include "api/ims/v1/job_reply.hpp"
#include "api/kit/endpoint.hpp"
#include "jobs/kinds/import_image.hpp"

namespace vitrine::api::ims {
namespace {

struct Body {
  model::ObjectUrl source;
  std::optional<Sha256> expected;
};

Result<Reply> run(Request<Body> const& request, Services& services) {
  auto const& body = request.body_value;
  service::ImportRequest import{.registers = true,
                                .source = body.source,
                                .formats = {},
                                .expected_sha256 = body.expected.value_or(Sha256{}).hex,
                                .draft = {}};
  import.draft.id = path_image(request);
  auto const order =
      jobs::import_order(jobs::kRegisterImage, request.caller, services.imports, import);
  return job_reply(TRY(services.jobs.submit(request.caller, order)));
}

} // namespace

Endpoint register_image() {
  return endpoint<Body>(
      {.verb = Verb::put,
       .path = "/v1/cloudimages/{image_id}/upload",
       .name = "ims.v1.register_image",
       .family = &ims_family,
       .action = "ims:images:upload",
       .audit = "image.upload",
       .errors = {Fault::empty_body, Fault::invalid_body, Fault::invalid_image_id,
                  Fault::object_url_form, Fault::bucket_name_empty, Fault::bucket_name_invalid,
                  Fault::object_name_empty, Fault::object_name_too_long, Fault::object_name_invalid,
                  Fault::image_not_found, Fault::public_of_others, Fault::not_image_owner,
                  Fault::image_not_active, Fault::too_many_jobs, Fault::no_object_store,
                  Fault::job_not_stored},
       .summary = "Fill a queued image from a file in a bucket, as a job."},
      {required("image_url", &Body::source, "The file, as bucket:object."),
       never_null(optional(service::kExpectedHashField, &Body::expected,
                           "SHA-256 that the file must have."))},
      run);
}

} // namespace vitrine::api::ims
