// GET / and GET /versions: what clients discover the API by (contract: glance-v2 1.1).
#include "api/endpoints.hpp"
#include "api/kit/router.hpp"
#include "model/image_stores.hpp"

namespace vitrine::api {

Reply version_list(Context& context, bool several_stores, int status) {
  auto const versions = offered_versions(several_stores);
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("versions").begin_array();
  for (auto const version : versions) {
    writer.begin_object().field("id", version);
    writer.field("status", version == versions.front() ? "CURRENT" : "SUPPORTED");
    writer.key("links").begin_array().begin_object().field("rel", "self");
    writer.field("href", context.base_url + "/v2/").end_object().end_array().end_object();
  }
  writer.end_array().end_object();
  return json_reply(status, std::move(body));
}

namespace image {

Endpoint root_versions() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/",
                         .name = "image.root_versions",
                         .family = &image_family,
                         .guard = Guard::open,
                         .summary = "List the API versions, as a choice.",
                         .quick = true},
                        [](Context& context, Services& services) -> Result<Reply> {
                          return version_list(context, services.image_stores.several(), 300);
                        });
}

Endpoint list_versions() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/versions",
                         .name = "image.list_versions",
                         .family = &image_family,
                         .guard = Guard::open,
                         .summary = "List the API versions.",
                         .quick = true},
                        [](Context& context, Services& services) -> Result<Reply> {
                          return version_list(context, services.image_stores.several(), 200);
                        });
}

Endpoint redirect_v2() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2",
                         .name = "image.redirect_v2",
                         .family = &image_family,
                         .guard = Guard::open,
                         .summary = "Point at the base of version 2.",
                         .quick = true},
                        [](Context& context, Services& services) -> Result<Reply> {
                          // The list is for huaweicloudsdkims, which follows no redirect.
                          auto reply = version_list(context, services.image_stores.several(), 302);
                          // Whole: keystoneauth follows it as it stands.
                          reply.headers.push_back({"Location", context.base_url + "/v2/"});
                          return reply;
                        });
}

} // namespace image
} // namespace vitrine::api
