// GET /v2/cloudimages (contract: ims-api 6.1).
#include "api/documents/attributes.hpp"
#include "api/documents/image.hpp"
#include "api/documents/listing.hpp"
#include "api/kit/endpoint.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "service/images.hpp"

#include <utility>
#include <vector>

namespace vitrine::api::ims {
namespace {

using documents::View;

// A full page tells of a next one only where there is more (contract: ims-api 6.1), so one row more
// is asked for.
Result<service::ImagePage> read_page(Context& context, Services& services,
                                     model::ImageListing listing) {
  auto const limit = listing.limit;
  if (limit > 0) ++listing.limit;
  auto page = TRY(services.images.list(context.caller, listing));
  if (std::cmp_less_equal(page.images.size(), limit)) return page;
  page.images.resize(static_cast<std::size_t>(limit));
  page.has_more = true;
  return page;
}

Result<Reply> run(Context& context, Services& services) {
  auto const query = context.query.without_empty();
  auto listing = TRY(documents::read_listing(
      query, context.caller, {limits::extension_page_default, limits::extension_page_max},
      View::extension));
  if (auto const marker = query.last("marker")) {
    listing.after =
        TRY(documents::read_marker(context.caller, services.images, text::to_lower(*marker)));
  }
  auto const page = TRY(read_page(context, services, std::move(listing)));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("images").begin_array();
  for (auto const& image : page.images)
    documents::write_image(writer, image, context.caller, View::extension, services.image_stores);
  writer.end_array().key("page_info").begin_object().key("next_marker");
  if (page.has_more) {
    auto const& last = page.images.back().id.text;
    writer.string(last).end_object();
    writer.field("next", "/v2/cloudimages?" + query.with("marker", last));
  } else {
    writer.null().end_object();
  }
  writer.end_object();
  return json_reply(200, std::move(body));
}

// What the table of attributes does not name.
std::vector<Parameter> parameters() {
  std::vector<Parameter> out = {
      {"limit", "Most images of the page: 500 if not given, 1000 at most."},
      {"marker", "Id of the image before the page."},
      {"sort_key", "created_at, or another field."},
      {"sort_dir", "desc or asc."},
      {"tag", "A tag, key=value or key; repeatable, all must be there."},
      {"member_status", "Only images received with this status: accepted, rejected, pending, all."},
      {"size_min", "Least size in bytes."},
      {"size_max", "Largest size in bytes."},
      {"architecture", "x86 or arm."},
      {"flavor_id", "Taken, without effect."}};
  for (auto const& attribute : documents::attributes()) {
    if (attribute.extension.filters)
      out.push_back({attribute.name, "Images that show this value."});
  }
  return out;
}

} // namespace

Endpoint list_cloudimages() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2/cloudimages",
                         .name = "ims.v2.list_cloudimages",
                         .family = &ims_family,
                         .action = "ims:images:list",
                         .errors = {Fault::forbidden, Fault::invalid_query, Fault::invalid_marker,
                                    Fault::architecture},
                         .summary = "List the images the project sees, a page at a time.",
                         .query = parameters()},
                        run);
}

} // namespace vitrine::api::ims
