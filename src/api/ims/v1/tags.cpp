// PUT /v1/cloudimages/tags and DELETE /v1/{project_id}/cloudimages/{image_id}/tags/delete
// (contract: ims-api 9.3, 9.5).
#include "service/tags.hpp"

#include "api/ims/path.hpp"
#include "api/ims/tag_fields.hpp"
#include "api/kit/endpoint.hpp"

namespace vitrine::api::ims {
namespace {

struct OneTag {
  ImageId image;
  std::optional<std::string> text;
  std::optional<model::Tag> pair;
};

// A client that knows both forms sends both, the one it does not use without a key.
Result<model::Tag> asked_tag(OneTag const& body) {
  bool const has_text = body.text && !body.text->empty();
  bool const has_pair = body.pair && !body.pair->key.empty();
  if (has_text && has_pair)
    return error(Fault::tag_form, "both tag and image_tag are given", "tag");
  if (has_pair) return *body.pair;
  if (has_text) return model::parse_tag(*body.text);
  return error(Fault::tag_form, "neither tag nor image_tag is given", "tag");
}

Result<Reply> put(Request<OneTag> const& request, Services& services) {
  auto const& body = request.body_value;
  auto const asked = TRY(asked_tag(body));
  auto const tags = TRY(model::check_new_tags({&asked, 1}));
  auto const done = services.tags.put(request.caller, body.image, tags);
  if (done) return empty_reply(204);
  // The path names no image, so that none is there is no 404.
  if (done.error().fault == Fault::image_not_found) {
    return error(Fault::image_unknown, body.image.text, "image_id");
  }
  return Error(done.error());
}

struct OldTags {
  std::optional<TagList> tags;
};

Result<Reply> remove(Request<OldTags> const& request, Services& services) {
  auto const image = path_image(request);
  auto const asked = request.body_value.tags.value_or(TagList{});
  auto const keys = TRY(model::check_old_tags(asked.tags));
  TRY(services.tags.remove(request.caller, image, keys));
  return empty_reply(204);
}

} // namespace

Endpoint put_tag() {
  return endpoint<OneTag>(
      {.verb = Verb::put,
       .path = "/v1/cloudimages/tags",
       .name = "ims.v1.put_tag",
       .family = &ims_family,
       .action = "ims:images:update",
       .audit = "image.tag.create",
       .errors = {Fault::forbidden, Fault::empty_body, Fault::invalid_body, Fault::invalid_image_id,
                  Fault::tag_form, Fault::image_unknown, Fault::public_of_others,
                  Fault::not_image_owner, Fault::tag_limit},
       .summary = "Set one tag of an image; one with the same key goes."},
      {required("image_id", &OneTag::image, "The image."),
       optional("tag", &OneTag::text, "The tag as key=value, key.value or key."),
       optional("image_tag", &OneTag::pair, "The tag, when tag is not given.")},
      put);
}

Endpoint remove_tags() {
  return endpoint<OldTags>(
      {.verb = Verb::delete_,
       .path = "/v1/{project_id}/cloudimages/{image_id}/tags/delete",
       .name = "ims.v1.remove_tags",
       .family = &ims_family,
       .action = "ims:images:update",
       .audit = "image.tag.delete",
       .errors = {Fault::forbidden, Fault::empty_body, Fault::invalid_body,
                  Fault::invalid_project_id, Fault::project_mismatch, Fault::invalid_image_id,
                  Fault::tag_form, Fault::image_not_found, Fault::public_of_others,
                  Fault::not_image_owner},
       .summary = "Remove the tags with these keys from an image."},
      {optional("tags", &OldTags::tags, "The keys; values are ignored.")}, remove);
}

} // namespace vitrine::api::ims
