// POST and GET /v2/images/{image_id}/locations (contract: glance-v2 3.10). The store keeps what it
// is sent: no address can be given to it, and it has none to tell.
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

#include <fmt/format.h>

namespace vitrine::api::image {
namespace {

constexpr std::string_view kPath = "/v2/images/{image_id}/locations";
constexpr std::string_view kAdd = "add_image_location";
constexpr std::string_view kFetch = "fetch_image_location";

struct Body {
  std::string url;
};

// Whoever may add one hears 403 in the end. Clients take that for a site where data is uploaded,
// and upload.
Result<Reply> refuse(Request<Body> const& request, Services& services) {
  auto const image = TRY(services.images.show_for(services.access.action(kAdd), request.caller,
                                                  ImageId{request.param("image_id")}));
  if (image.status != model::ImageStatus::queued) {
    return error(Fault::wrong_status,
                 fmt::format("It's not allowed to add locations if image status is {}.",
                             name_of(image.status)));
  }
  return error(Fault::forbidden, "No store of this site takes data by its location.");
}

Result<Reply> list(Context& context, Services& services) {
  TRY(services.images.show(context.caller, ImageId{context.param("image_id")}));
  TRY(services.access.require(services.access.action(kFetch), context.caller));
  return json_reply(200, "[]");
}

} // namespace

Endpoint add_location() {
  return endpoint<Body>({.verb = Verb::post,
                         .path = kPath,
                         .name = "image.v2.add_location",
                         .family = &image_family,
                         .action = kAdd,
                         .guard = Guard::token,
                         .errors = {Fault::invalid_body, Fault::image_not_found,
                                    Fault::wrong_status, Fault::forbidden},
                         .summary = "Give an image its data by address; no store takes any."},
                        {required("url", &Body::url, "Where the data lies.")}, refuse);
}

Endpoint list_locations() {
  return plain_endpoint({.verb = Verb::get,
                         .path = kPath,
                         .name = "image.v2.list_locations",
                         .family = &image_family,
                         .action = kFetch,
                         .guard = Guard::token,
                         .errors = {Fault::image_not_found, Fault::forbidden},
                         .summary = "List where an image's data lies; there is no address."},
                        list);
}

} // namespace vitrine::api::image
