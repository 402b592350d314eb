// POST /v1/cloudimages/wholeimages/action (contract: ims-api 6.6): there is no backup service to
// make a full-server image with.
#include "api/documents/extension.hpp"
#include "api/ims/creation.hpp"

namespace vitrine::api::ims {
namespace {

// One of two is what the image is made from.
Result<> require_origin(json::Object const& object) {
  auto const* server = detail::find(object, "instance_id");
  auto const* backup = detail::find(object, "backup_id");
  if ((server == nullptr) == (backup == nullptr)) {
    return error(Fault::invalid_body, "one of instance_id and backup_id is needed");
  }
  auto const* given = server != nullptr ? server : backup;
  auto const* text = given->if_string();
  if (text != nullptr && !text->empty()) return {};
  return error(server != nullptr ? Fault::server_missing : Fault::backup_missing);
}

Result<Reply> run(Context& context, Services&) {
  auto const object = TRY(read_object(context.body));
  TRY(require_origin(object));
  auto const body = TRY(read_fields(object, common_fields(), context.caller));
  TRY(documents::check_together(body.image, body.properties));
  return error(Fault::no_backup_service);
}

} // namespace

Endpoint create_whole_image() {
  return {.spec = {.verb = Verb::post,
                   .path = "/v1/cloudimages/wholeimages/action",
                   .name = "ims.v1.create_whole_image",
                   .family = &ims_family,
                   .action = "ims:wholeImages:create",
                   .errors = {Fault::empty_body, Fault::invalid_body, Fault::server_missing,
                              Fault::backup_missing, Fault::name_missing, Fault::name_not_text,
                              Fault::name_too_long, Fault::name_form, Fault::description_too_long,
                              Fault::description_form, Fault::memory_or_disk_size,
                              Fault::enterprise_project_form, Fault::no_backup_service},
                   .summary = "Make an image of a whole server: not offered."},
          .fields = infos_of(common_fields()),
          .run = run,
          .begin = {}};
}

} // namespace vitrine::api::ims
