// DELETE /v2/images/{image_id} and /v1.1/images/{image_id} (contract: glance-v2 3.6, ims-api 10.3,
// 10.4). Of an optional JSON body the first heeds `delete_backup`, and the second nothing.
#include "api/kit/endpoint.hpp"
#include "jobs/kinds/remove_backups.hpp"
#include "ops/config.hpp"
#include "service/access.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

Result<json::Object> body_of(Context const& context) {
  return context.body.empty() ? Result<json::Object>(json::Object()) : read_object(context.body);
}

Result<Reply> run(Context& context, Services& services) {
  TRY(body_of(context));
  TRY(services.images.remove(context.caller, ImageId{context.param("image_id")}));
  return empty_reply(204);
}

bool names_backups(json::Object const& body, Services const& services) {
  auto const* value = body.if_contains("delete_backup");
  bool const offered = services.images.options().ims_profile &&
                       services.config.block_storage.backup != ops::VolumesDriver::none;
  return offered && value != nullptr && value->is_bool() && value->get_bool();
}

Result<model::Mandate> give_mandate(Context const& context, Services& services) {
  auto const token = context.head.header("X-Auth-Token").value_or("");
  auto mandate = TRY(services.mandates.give(context.caller, token));
  if (mandate.volumes.empty()) return error(Fault::no_backup_service);
  return mandate;
}

// Clients that know nothing of backups send it with every image: only where there are some is
// anybody asked. That they can be removed is no condition for the image to go.
Result<> remove_with_backups(Context& context, Services& services, ImageId const& id) {
  auto const action = services.access.action("delete_image");
  auto const found = TRY(services.images.show_for(action, context.caller, id));
  if (service::Captures::backups_of(found).empty()) {
    return services.images.remove(context.caller, id);
  }
  auto const mandate = give_mandate(context, services);
  auto const also = [&](store::Connection& connection, model::Image const& image) {
    return services.jobs.add(connection, context.caller,
                             jobs::remove_backups_order(image, mandate));
  };
  TRY(services.images.remove(context.caller, id, also));
  services.jobs.announce();
  return {};
}

Result<Reply> run_native(Context& context, Services& services) {
  auto const body = TRY(body_of(context));
  ImageId const id{context.param("image_id")};
  if (names_backups(body, services)) {
    TRY(remove_with_backups(context, services, id));
  } else {
    TRY(services.images.remove(context.caller, id));
  }
  return empty_reply(204);
}

} // namespace

Endpoint delete_image() {
  return plain_endpoint(
      {.verb = Verb::delete_,
       .path = "/v2/images/{image_id}",
       .name = "image.v2.delete_image",
       .family = &image_family,
       .action = "delete_image",
       .guard = Guard::token,
       .audit = "image.delete",
       .errors = {Fault::image_not_found, Fault::forbidden, Fault::image_protected},
       .summary = "Delete an image; with delete_backup also the backups that were made for it.",
       .takes_body = true},
      run_native);
}

Endpoint delete_image_v1() {
  return plain_endpoint(
      {.verb = Verb::delete_,
       .path = "/v1.1/images/{image_id}",
       .name = "image.v1.delete_image",
       .family = &image_family,
       .action = "ims:images:delete",
       .audit = "image.delete",
       .errors = {Fault::image_not_found, Fault::forbidden, Fault::image_protected},
       .summary = "Delete an image. Deprecated.",
       .takes_body = true},
      run);
}

} // namespace vitrine::api::image
