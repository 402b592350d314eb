// GET /v2/info/… (contract: glance-v2 5). One store, no import method, no unified limits.
#include "api/kit/endpoint.hpp"

namespace vitrine::api::image {
namespace {

Result<Reply> refuse_stores(Context&, Services&) {
  return error(Fault::not_found, "Multi backend is not supported at this site.");
}

} // namespace

Endpoint import_info() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v2/info/import",
       .name = "image.v2.import_info",
       .family = &image_family,
       .guard = Guard::token,
       .summary = "Show the import methods on offer."},
      [](Context&, Services&) -> Result<Reply> {
        return json_reply(200, R"({"import-methods":{"description":"Import methods available.",)"
                               R"("type":"array","value":[]}})");
      });
}

Endpoint stores_info() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2/info/stores",
                         .name = "image.v2.stores_info",
                         .family = &image_family,
                         .guard = Guard::token,
                         .errors = {Fault::not_found},
                         .summary = "List the stores; not found, as there is a single one."},
                        refuse_stores);
}

Endpoint stores_detail() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2/info/stores/detail",
                         .name = "image.v2.stores_detail",
                         .family = &image_family,
                         .action = "stores_info_detail",
                         .errors = {Fault::forbidden, Fault::not_found},
                         .summary = "Show the stores' settings; not found, as there is a single "
                                    "one."},
                        refuse_stores);
}

Endpoint usage_info() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v2/info/usage",
       .name = "image.v2.usage_info",
       .family = &image_family,
       .guard = Guard::token,
       .summary = "Show the use of unified limits; there are none."},
      [](Context&, Services&) -> Result<Reply> { return json_reply(200, R"({"usage":{}})"); });
}

} // namespace vitrine::api::image
