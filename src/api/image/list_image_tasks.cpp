// GET /v2/images/{image_id}/tasks (contract: glance-v2 3.8). Nothing here runs as a task.
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

Result<Reply> run(Context& context, Services& services) {
  TRY(services.images.show(context.caller, ImageId{context.param("image_id")}));
  return json_reply(200, R"({"tasks":[]})");
}

} // namespace

Endpoint list_image_tasks() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2/images/{image_id}/tasks",
                         .name = "image.v2.list_image_tasks",
                         .family = &image_family,
                         .action = "get_image",
                         .guard = Guard::token,
                         .errors = {Fault::image_not_found},
                         .summary = "List the tasks of an image; there are none.",
                         .quick = true},
                        run);
}

} // namespace vitrine::api::image
