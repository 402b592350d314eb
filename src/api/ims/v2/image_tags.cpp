// The tags of one image below /v2/{project_id}/images/{image_id} (contract: ims-api 9.5, 9.6).
#include "api/ims/fields.hpp"
#include "api/ims/path.hpp"
#include "api/ims/tag_fields.hpp"
#include "api/kit/endpoint.hpp"
#include "service/tags.hpp"

namespace vitrine::api::ims {
namespace {

Result<Reply> list(Context& context, Services& services) {
  auto const image = path_image(context);
  auto const tags = TRY(services.tags.of_image(context.caller, image));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("tags");
  write_tags(writer, tags);
  writer.end_object();
  return json_reply(200, std::move(body));
}

struct NewTag {
  WholeTag tag;
};

Result<Reply> put(Request<NewTag> const& request, Services& services) {
  auto const image = path_image(request);
  auto const tags = TRY(model::check_new_tags({&request.body_value.tag.tag, 1}));
  TRY(services.tags.put(request.caller, image, tags));
  return empty_reply(204);
}

enum class TagAction : std::uint8_t { create, remove };

struct TagBatch {
  TagAction action;
  std::optional<TagList> tags;
};

Result<Reply> change(Request<TagBatch> const& request, Services& services) {
  auto const image = path_image(request);
  auto const asked = request.body_value.tags.value_or(TagList{});
  if (request.body_value.action == TagAction::create) {
    auto const tags = TRY(model::check_new_tags(asked.tags));
    TRY(services.tags.put(request.caller, image, tags));
  } else {
    auto const keys = TRY(model::check_old_tags(asked.tags));
    TRY(services.tags.remove(request.caller, image, keys));
  }
  return empty_reply(204);
}

Result<Reply> remove(Context& context, Services& services) {
  auto const image = path_image(context);
  auto const& key = context.param("key");
  auto const removed = TRY(services.tags.remove(context.caller, image, {&key, 1}));
  if (removed == 0) return error(Fault::tag_not_found, key, "key");
  return empty_reply(204);
}

} // namespace
} // namespace vitrine::api::ims

namespace vitrine::api {

template <>
struct Wire<ims::TagAction> {
  static constexpr Fault missing = Fault::invalid_body;
  static constexpr std::string_view schema = R"({"type":"string","enum":["create","delete"]})";
  static Result<ims::TagAction> read(json::Value const& value, std::string_view field) {
    return static_cast<ims::TagAction>(TRY(ims::read_word(value, field, {"create", "delete"})));
  }
};

} // namespace vitrine::api

namespace vitrine::api::ims {

Endpoint list_tags_of_image() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v2/{project_id}/images/{image_id}/tags",
       .name = "ims.v2.list_tags_of_image",
       .family = &ims_family,
       .action = "ims:images:list",
       .errors = {Fault::forbidden, Fault::invalid_project_id, Fault::project_mismatch,
                  Fault::invalid_image_id, Fault::image_not_found},
       .summary = "List the tags of an image."},
      list);
}

Endpoint put_tag_of_image() {
  return endpoint<NewTag>(
      {.verb = Verb::post,
       .path = "/v2/{project_id}/images/{image_id}/tags",
       .name = "ims.v2.put_tag_of_image",
       .family = &ims_family,
       .action = "ims:images:update",
       .audit = "image.tag.create",
       .errors = {Fault::forbidden, Fault::empty_body, Fault::invalid_body,
                  Fault::invalid_project_id, Fault::project_mismatch, Fault::invalid_image_id,
                  Fault::tag_form, Fault::image_not_found, Fault::public_of_others,
                  Fault::not_image_owner, Fault::tag_limit},
       .summary = "Set one tag of an image; one with the same key goes."},
      {required("tag", &NewTag::tag, "The tag.")}, put);
}

Endpoint change_tags_of_image() {
  return endpoint<TagBatch>(
      {.verb = Verb::post,
       .path = "/v2/{project_id}/images/{image_id}/tags/action",
       .name = "ims.v2.change_tags_of_image",
       .family = &ims_family,
       .action = "ims:images:update",
       .audit = "image.tag.create",
       .errors = {Fault::forbidden, Fault::empty_body, Fault::invalid_body,
                  Fault::invalid_project_id, Fault::project_mismatch, Fault::invalid_image_id,
                  Fault::tag_form, Fault::image_not_found, Fault::public_of_others,
                  Fault::not_image_owner, Fault::tag_limit},
       .summary = "Set several tags of an image, all or none, or remove several."},
      {required("action", &TagBatch::action, "create or delete."),
       optional("tags", &TagBatch::tags, "The tags; to delete, their values are ignored.")},
      change);
}

Endpoint remove_tag_of_image() {
  return plain_endpoint(
      {.verb = Verb::delete_,
       .path = "/v2/{project_id}/images/{image_id}/tags/{key}",
       .name = "ims.v2.remove_tag_of_image",
       .family = &ims_family,
       .action = "ims:images:update",
       .audit = "image.tag.delete",
       .errors = {Fault::forbidden, Fault::invalid_project_id, Fault::project_mismatch,
                  Fault::invalid_image_id, Fault::image_not_found, Fault::public_of_others,
                  Fault::not_image_owner, Fault::tag_not_found},
       .summary = "Remove the tag with that key from an image."},
      remove);
}

} // namespace vitrine::api::ims
