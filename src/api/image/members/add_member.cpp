// POST /v2/images/{image_id}/members (contract: glance-v2 4, ims-api D1, D15).
#include "api/image/members/member_body.hpp"
#include "api/kit/endpoint.hpp"
#include "base/text.hpp"
#include "service/sharing.hpp"

namespace vitrine::api::image {
namespace {

constexpr std::size_t kMemberCharactersMax = 255;

struct Body {
  std::string member;
};

Result<Reply> run(Request<Body> const& request, Services& services) {
  auto const& member = request.body_value.member;
  if (member.empty() || text::length_utf8(member) > kMemberCharactersMax) {
    return error(Fault::invalid_body, "member must have 1 to 255 characters", "member");
  }
  ImageId const image{request.param("image_id")};
  return member_reply(TRY(services.sharing.add(request.caller, image, ProjectId{member})));
}

} // namespace

Endpoint add_member() {
  return endpoint<Body>(
      {.verb = Verb::post,
       .path = "/v2/images/{image_id}/members",
       .name = "image.v2.add_member",
       .family = &image_family,
       .action = "add_member",
       .guard = Guard::token,
       .audit = "image.member.create",
       .errors = {Fault::invalid_body, Fault::share_with_self, Fault::forbidden,
                  Fault::not_shareable, Fault::image_not_found, Fault::member_exists,
                  Fault::member_limit, Fault::sharing_quota},
       .summary = "Share an image with a project."},
      {required("member", &Body::member, "The project that gains access.")}, run);
}

} // namespace vitrine::api::image
