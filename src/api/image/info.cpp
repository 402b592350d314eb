// GET /v2/info/… (contract: glance-v2 5). No import method, no unified limits.
#include "api/kit/endpoint.hpp"
#include "base/blocks.hpp"
#include "model/image_stores.hpp"

namespace vitrine::api::image {
namespace {

/// What whoever sees a store's settings is told besides.
void write_detail(json::Writer& writer, model::ImageStore const& store) {
  writer.field("type", store.driver)
      .field("weight", std::int64_t{0})
      .key("properties")
      .begin_object();
  if (store.driver == "file") {
    writer.field("data_dir", store.directory);
    writer.field("chunk_size", static_cast<std::int64_t>(Block::kBytes));
    writer.field("thin_provisioning", false);
  } else {
    writer.field("s3_store_large_object_size", store.part_size_mib);
    writer.field("s3_store_large_object_chunk_size", store.part_size_mib);
    writer.field("s3_store_thread_pools", std::int64_t{1});
  }
  writer.end_object();
}

Result<Reply> list_stores(model::ImageStores const& stores, bool with_detail) {
  if (!stores.several()) {
    return error(Fault::not_found, "Multi backend is not supported at this site.");
  }
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("stores").begin_array();
  for (auto const& store : stores.all()) {
    writer.begin_object().field("id", store.name);
    if (!store.description.empty()) writer.field("description", store.description);
    if (store.name == stores.by_default().name) writer.field("default", "true");
    if (with_detail) write_detail(writer, store);
    writer.end_object();
  }
  writer.end_array().end_object();
  return json_reply(200, std::move(body));
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
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v2/info/stores",
       .name = "image.v2.stores_info",
       .family = &image_family,
       .guard = Guard::token,
       .errors = {Fault::not_found},
       .summary = "List the stores; not found where there is a single one."},
      [](Context&, Services& services) { return list_stores(services.image_stores, false); });
}

Endpoint stores_detail() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v2/info/stores/detail",
       .name = "image.v2.stores_detail",
       .family = &image_family,
       .action = "stores_info_detail",
       .errors = {Fault::forbidden, Fault::not_found},
       .summary = "Show the stores' settings; not found where there is a single "
                  "one."},
      [](Context&, Services& services) { return list_stores(services.image_stores, true); });
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
