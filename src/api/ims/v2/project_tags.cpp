// GET /v2/{project_id}/images/tags (contract: ims-api 9.6).
#include "api/ims/path.hpp"
#include "api/kit/endpoint.hpp"
#include "service/tags.hpp"

namespace vitrine::api::ims {
namespace {

Result<Reply> list(Context& context, Services& services) {
  auto const project = path_project(context);
  auto const tags = TRY(services.tags.of_project(context.caller, project));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("tags").begin_array();
  for (auto tag = tags.begin(); tag != tags.end();) {
    auto const& key = tag->key;
    writer.begin_object().field("key", key).key("values").begin_array();
    for (; tag != tags.end() && tag->key == key; ++tag)
      writer.string(tag->value);
    writer.end_array().end_object();
  }
  writer.end_array().end_object();
  return json_reply(200, std::move(body));
}

} // namespace

Endpoint list_tags_of_project() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v2/{project_id}/images/tags",
       .name = "ims.v2.list_tags_of_project",
       .family = &ims_family,
       .action = "ims:images:list",
       .errors = {Fault::forbidden, Fault::invalid_project_id, Fault::project_mismatch},
       .summary = "List the tags of a project's own images, each key with its values."},
      list);
}

} // namespace vitrine::api::ims
