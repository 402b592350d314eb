// DELETE /v2/images/{image_id}/members/{member_id} (contract: glance-v2 4).
#include "api/kit/endpoint.hpp"
#include "service/sharing.hpp"

namespace vitrine::api::image {
namespace {

Result<Reply> run(Context& context, Services& services) {
  ImageId const image{context.param("image_id")};
  TRY(services.sharing.remove(context.caller, image, ProjectId{context.param("member_id")}));
  return empty_reply(204);
}

} // namespace

Endpoint remove_member() {
  return plain_endpoint({.verb = Verb::delete_,
                         .path = "/v2/images/{image_id}/members/{member_id}",
                         .name = "image.v2.remove_member",
                         .family = &image_family,
                         .action = "delete_member",
                         .guard = Guard::token,
                         .audit = "image.member.delete",
                         .errors = {Fault::forbidden, Fault::image_is_public,
                                    Fault::image_not_found, Fault::member_not_found},
                         .summary = "Stop sharing an image with a project."},
                        run);
}

} // namespace vitrine::api::image
