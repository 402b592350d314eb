// POST /v2/images/{image_id}/import (contract: glance-v2 3.8). No import method is on offer.
#include "api/kit/endpoint.hpp"
#include "service/images.hpp"

#include <fmt/format.h>

namespace vitrine::api::image {
namespace {

constexpr std::string_view kAction = "modify_image";

Result<Reply> run(Context& context, Services& services) {
  TRY(services.images.show_for(services.access.action(kAction), context.caller,
                               ImageId{context.param("image_id")}));
  auto const body = TRY(read_object(context.body));
  auto const* method = body.if_contains("method");
  auto const* named = method == nullptr ? nullptr : method->if_object();
  auto const* name = named == nullptr ? nullptr : named->if_contains("name");
  if (name == nullptr || !name->is_string()) {
    return error(Fault::invalid_body, "'method' must be an object with a 'name'.");
  }
  return error(Fault::invalid_value,
               fmt::format("Import method '{}' is not offered by this site.",
                           json::view(name->get_string())),
               "method");
}

} // namespace

Endpoint import_image() {
  return plain_endpoint({.verb = Verb::post,
                         .path = "/v2/images/{image_id}/import",
                         .name = "image.v2.import_image",
                         .family = &image_family,
                         .action = kAction,
                         .guard = Guard::token,
                         .errors = {Fault::image_not_found, Fault::forbidden, Fault::invalid_body,
                                    Fault::invalid_value},
                         .summary = "Import data into an image; no method is on offer.",
                         .takes_body = true},
                        run);
}

} // namespace vitrine::api::image
