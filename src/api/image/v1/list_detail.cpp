// GET /v1.1/images/detail (contract: ims-api 10.4).
#include "api/documents/image.hpp"
#include "api/documents/listing.hpp"
#include "api/image/v1/image_v1.hpp"
#include "api/kit/endpoint.hpp"
#include "ops/config.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

using documents::View;

void nullable(json::Writer& writer, std::string_view name, std::optional<std::string> const& text) {
  writer.key(name);
  text ? writer.string(*text) : writer.null();
}

void write_detail(json::Writer& writer, model::Image const& image, model::Caller const& caller,
                  View view) {
  writer.begin_object().field("id", image.id.text);
  nullable(writer, "name", image.name);
  writer.field("status", name_of(image.status)).field("owner", image.owner.text);
  writer.field("size", image.size_bytes.value_or(0)).key("virtual_size");
  image.virtual_size_bytes ? writer.integer(*image.virtual_size_bytes) : writer.null();
  nullable(writer, "checksum", image.checksum);
  nullable(writer, "disk_format", image.disk_format);
  nullable(writer, "container_format", image.container_format);
  writer.field("min_disk", image.min_disk_gib).field("min_ram", image.min_ram_mib);
  writer.field("protected", image.is_protected);
  writer.field("is_public", image.visibility == model::Visibility::public_);
  writer.field("deleted", false).null_field("deleted_at");
  writer.field("created_at", time_v1(image.created_at));
  writer.field("updated_at", time_v1(image.updated_at));
  writer.key("properties").raw(documents::properties_json(image, caller, view)).end_object();
}

// What changed is asked for under a name of its own.
Result<Query> with_time(Query const& query) {
  auto const since = query.last("changes-since");
  if (!since) return query;
  auto const moment = "gte:" + std::string(*since);
  auto const rest = TRY(Query::parse(query.with("changes-since", std::nullopt)));
  return Query::parse(rest.with("updated_at", moment));
}

Result<Reply> run(Context& context, Services& services) {
  auto const& config = services.config;
  auto const view = documents::native_view(config.compat.profile == ops::Profile::ims);
  auto const query = TRY(with_time(context.query.without_empty()));
  auto listing = TRY(documents::read_listing(
      query, context.caller, {config.images.page_default, config.images.page_max}, view));
  if (auto const marker = query.last("marker")) {
    listing.after = TRY(documents::read_marker(context.caller, services.images, *marker));
  }
  auto const page = TRY(services.images.list(context.caller, listing));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("images").begin_array();
  for (auto const& image : page.images)
    write_detail(writer, image, context.caller, view);
  writer.end_array().end_object();
  return json_reply(200, std::move(body));
}

} // namespace

Endpoint list_detail() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v1.1/images/detail",
       .name = "image.v1.list_detail",
       .family = &image_family,
       .action = "ims:images:list",
       .errors = {Fault::forbidden, Fault::invalid_query, Fault::invalid_marker},
       .summary = "List the images the project sees, a page at a time. Deprecated.",
       .query = {{"name", "Images of this name."},
                 {"container_format", "Images of this container format."},
                 {"disk_format", "Images of this disk format."},
                 {"status", "Images in this status."},
                 {"size_min", "Least size in bytes."},
                 {"size_max", "Largest size in bytes."},
                 {"changes-since", "Images changed at this time or later."},
                 {"limit", "Most images of the page."},
                 {"marker", "Id of the image before the page."}}},
      run);
}

} // namespace vitrine::api::image
