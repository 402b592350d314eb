// GET /v2/images/{image_id} (contract: glance-v2 3.4).
#include "api/documents/image.hpp"
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

Reply document(Context const& context, Services& services, model::Image const& image) {
  return json_reply(
      200, documents::image_json(image, context.caller,
                                 documents::native_view(services.images.options().ims_profile),
                                 services.image_stores));
}

Result<Reply> run(Context& context, Services& services) {
  return document(context, services,
                  TRY(services.images.show(context.caller, ImageId{context.param("image_id")})));
}

bool run_later(Context& context, Services& services, Endpoint::Answered answered) {
  auto done = [&context, &services, answered = std::move(answered)](Result<model::Image> found) {
    answered([&context, &services, found = std::move(found)]() -> Result<Reply> {
      if (!found) return Error(found.error());
      return document(context, services, *found);
    });
  };
  return services.images.show_later(context.caller, ImageId{context.param("image_id")},
                                    std::move(done));
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
                        run, run_later);
}

} // namespace vitrine::api::image
