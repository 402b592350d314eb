// POST /v2/images/{image_id}/actions/deactivate and reactivate (contract: glance-v2 3.9).
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

using Action = Result<> (service::Images::*)(model::Caller const&, ImageId const&);

Endpoint action_endpoint(std::string_view path, std::string_view name, std::string_view action,
                         std::string_view summary, Action act) {
  return plain_endpoint(
      {.verb = Verb::post,
       .path = path,
       .name = name,
       .family = &image_family,
       .action = action,
       .guard = Guard::token,
       .audit = "image.update",
       .errors = {Fault::image_not_found, Fault::forbidden, Fault::transition_forbidden},
       .summary = summary},
      [act](Context& context, Services& services) -> Result<Reply> {
        ImageId const id{context.param("image_id")};
        TRY((services.images.*act)(context.caller, id));
        return empty_reply(204);
      });
}

} // namespace

Endpoint deactivate_image() {
  return action_endpoint(
      "/v2/images/{image_id}/actions/deactivate", "image.v2.deactivate_image", "deactivate",
      "Withhold an image's data from everybody but administrators.", &service::Images::deactivate);
}

Endpoint reactivate_image() {
  return action_endpoint("/v2/images/{image_id}/actions/reactivate", "image.v2.reactivate_image",
                         "reactivate", "Give an image's data free again.",
                         &service::Images::reactivate);
}

} // namespace vitrine::api::image
