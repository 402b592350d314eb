// GET /v2/images/{image_id}/members (contract: glance-v2 4).
#include "api/image/members/member_body.hpp"
#include "api/kit/endpoint.hpp"
#include "service/sharing.hpp"

namespace vitrine::api::image {
namespace {

Result<Reply> run(Context& context, Services& services) {
  ImageId const image{context.param("image_id")};
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("members").begin_array();
  for (auto const& member : TRY(services.sharing.list(context.caller, image)))
    write_member(writer, member);
  writer.end_array().field("schema", "/v2/schemas/members").end_object();
  return json_reply(200, std::move(body));
}

} // namespace

Endpoint list_members() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2/images/{image_id}/members",
                         .name = "image.v2.list_members",
                         .family = &image_family,
                         .action = "get_members",
                         .guard = Guard::token,
                         .errors = {Fault::forbidden, Fault::not_shareable, Fault::image_not_found},
                         .summary = "List the projects an image is shared with."},
                        run);
}

} // namespace vitrine::api::image
