// GET /v2/images/{image_id} (contract: glance-v2 3.4).
#include "api/documents/image.hpp"
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

Result<Reply> run(Context& context, Services& services) {
  auto const image = TRY(services.images.show(context.caller, ImageId{context.param("image_id")}));
  return json_reply(
      200, documents::image_json(image, context.caller,
                                 documents::native_view(services.images.options().ims_profile),
                                 services.image_stores));
}

} // namespace

Endpoint show_image() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2/images/{image_id}",
                         .name = "image.v2.show_image",
                         .family = &image_family,
                         .action = "get_image",
                         .guard = Guard::token,
                         .errors = {Fault::image_not_found},
                         .summary = "Show an image.",
                         .quick = true},
                        run);
}

} // namespace vitrine::api::image
