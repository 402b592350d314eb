// DELETE /v2/stores/{store_id}/{image_id} (contract: glance-v2 3.9). An image lies in one store
// only, and its only data is not removed this way.
#include "api/kit/endpoint.hpp"
#include "model/image_stores.hpp"
#include "service/images.hpp"

#include <fmt/format.h>

namespace vitrine::api::image {
namespace {

constexpr std::string_view kSee = "get_image_location";
constexpr std::string_view kDelete = "delete_image_location";

Result<Reply> refuse(Context& context, Services& services) {
  auto const& stores = services.image_stores;
  if (!stores.several()) {
    return error(Fault::not_found, "Multi backend is not supported at this site.");
  }
  auto const store = context.param("store_id");
  if (stores.named(store) == nullptr) {
    return error(Fault::conflict,
                 fmt::format("The selected store {} is not available on this node.", store));
  }
  ImageId const id{context.param("image_id")};
  TRY(services.images.show_for(services.access.action(kSee), context.caller, id));
  auto const image =
      TRY(services.images.show_for(services.access.action(kDelete), context.caller, id));
  if (image.status != model::ImageStatus::active) {
    return error(Fault::wrong_status,
                 fmt::format("It's not allowed to remove image data from store if image status is "
                             "not 'active', but {}.",
                             name_of(image.status)));
  }
  if (stores.name_of_store(image.blob) != store) {
    return error(Fault::not_found,
                 fmt::format("Image {} is not stored in store {}.", id.text, store));
  }
  return error(Fault::forbidden, "Cannot delete image data from the only store containing it. "
                                 "Consider deleting the image instead.");
}

} // namespace

Endpoint delete_from_store() {
  return plain_endpoint({.verb = Verb::delete_,
                         .path = "/v2/stores/{store_id}/{image_id}",
                         .name = "image.v2.delete_from_store",
                         .family = &image_family,
                         .action = kDelete,
                         .guard = Guard::token,
                         .errors = {Fault::not_found, Fault::conflict, Fault::image_not_found,
                                    Fault::forbidden, Fault::wrong_status},
                         .summary = "Remove an image's data from one of its stores; it is never "
                                    "in two."},
                        refuse);
}

} // namespace vitrine::api::image
