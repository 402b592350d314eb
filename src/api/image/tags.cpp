// PUT and DELETE /v2/images/{image_id}/tags/{tag} (contract: glance-v2 3.9).
#include "api/documents/image.hpp"
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

Result<Reply> add(Context& context, Services& services) {
  TRY(documents::check_tag(context.param("tag")));
  TRY(services.images.add_tag(context.caller, ImageId{context.param("image_id")},
                              context.param("tag")));
  return empty_reply(204);
}

Result<Reply> remove(Context& context, Services& services) {
  TRY(services.images.remove_tag(context.caller, ImageId{context.param("image_id")},
                                 context.param("tag")));
  return empty_reply(204);
}

} // namespace

Endpoint add_tag() {
  return plain_endpoint(
      {.verb = Verb::put,
       .path = "/v2/images/{image_id}/tags/{tag}",
       .name = "image.v2.add_tag",
       .family = &image_family,
       .action = "modify_image",
       .guard = Guard::token,
       .audit = "image.tag.create",
       .errors = {Fault::invalid_value, Fault::image_not_found, Fault::forbidden, Fault::tag_limit},
       .summary = "Add a tag to an image."},
      add);
}

Endpoint remove_tag() {
  return plain_endpoint({.verb = Verb::delete_,
                         .path = "/v2/images/{image_id}/tags/{tag}",
                         .name = "image.v2.remove_tag",
                         .family = &image_family,
                         .action = "modify_image",
                         .guard = Guard::token,
                         .audit = "image.tag.delete",
                         .errors = {Fault::image_not_found, Fault::forbidden, Fault::tag_not_found},
                         .summary = "Remove a tag from an image."},
                        remove);
}

} // namespace vitrine::api::image
