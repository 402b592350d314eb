// PUT /v2/images/{image_id}/members/{member_id} (contract: glance-v2 4, ims-api 10).
#include "api/image/members/member_body.hpp"
#include "api/kit/endpoint.hpp"
#include "service/sharing.hpp"

namespace vitrine::api::image {
namespace {

struct Body {
  std::string status;
  std::optional<std::string> vault;
};

Result<Reply> run(Request<Body> const& request, Services& services) {
  auto const status = model::member_status_named(request.body_value.status);
  if (!status) {
    return error(Fault::invalid_body, "status must be accepted, rejected or pending", "status");
  }
  ImageId const image{request.param("image_id")};
  ProjectId const member{request.param("member_id")};
  return member_reply(TRY(services.sharing.answer(request.caller, image, member, *status)));
}

} // namespace

Endpoint answer_share() {
  return endpoint<Body>(
      {.verb = Verb::put,
       .path = "/v2/images/{image_id}/members/{member_id}",
       .name = "image.v2.answer_share",
       .family = &image_family,
       .action = "modify_member",
       .guard = Guard::token,
       .audit = "image.member.update",
       .errors = {Fault::invalid_body, Fault::forbidden, Fault::image_not_found,
                  Fault::member_not_found, Fault::vault_missing},
       .summary = "Accept or reject an image that was shared with the project."},
      {required("status", &Body::status, "accepted, rejected or pending."),
       optional("vault_id", &Body::vault,
                "Needed to accept a full-server image; there are no vaults here.")},
      run);
}

} // namespace vitrine::api::image
