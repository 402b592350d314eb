// DELETE /v2/images/{image_id} and /v1.1/images/{image_id} (contract: glance-v2 3.6, ims-api 10.3,
// 10.4: an optional JSON body is ignored).
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

Result<Reply> run(Context& context, Services& services) {
  if (!context.body.empty()) TRY(read_object(context.body));
  TRY(services.images.remove(context.caller, ImageId{context.param("image_id")}));
  return empty_reply(204);
}

} // namespace

Endpoint delete_image() {
  return plain_endpoint(
      {.verb = Verb::delete_,
       .path = "/v2/images/{image_id}",
       .name = "image.v2.delete_image",
       .family = &image_family,
       .action = "delete_image",
       .guard = Guard::token,
       .audit = "image.delete",
       .errors = {Fault::image_not_found, Fault::forbidden, Fault::image_protected},
       .summary = "Delete an image.",
       .takes_body = true},
      run);
}

Endpoint delete_image_v1() {
  return plain_endpoint(
      {.verb = Verb::delete_,
       .path = "/v1.1/images/{image_id}",
       .name = "image.v1.delete_image",
       .family = &image_family,
       .action = "ims:images:delete",
       .audit = "image.delete",
       .errors = {Fault::image_not_found, Fault::forbidden, Fault::image_protected},
       .summary = "Delete an image. Deprecated.",
       .takes_body = true},
      run);
}

} // namespace vitrine::api::image
