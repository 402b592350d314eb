// GET /v2/images/{image_id}/members/{member_id} (contract: glance-v2 4).
#include "api/image/members/member_body.hpp"
#include "api/kit/endpoint.hpp"
#include "service/sharing.hpp"

namespace vitrine::api::image {
namespace {

Result<Reply> run(Context& context, Services& services) {
  ImageId const image{context.param("image_id")};
  ProjectId const member{context.param("member_id")};
  return member_reply(TRY(services.sharing.get(context.caller, image, member)));
}

} // namespace

Endpoint show_member() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2/images/{image_id}/members/{member_id}",
                         .name = "image.v2.show_member",
                         .family = &image_family,
                         .action = "get_member",
                         .guard = Guard::token,
                         .errors = {Fault::image_not_found, Fault::member_not_found},
                         .summary = "Show a project an image is shared with."},
                        run);
}

} // namespace vitrine::api::image
