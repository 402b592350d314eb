// GET /v2/images (contract: glance-v2 3.3).
#include "api/documents/image.hpp"
#include "api/documents/listing.hpp"
#include "api/kit/endpoint.hpp"
#include "ops/config.hpp"
#include "service/images.hpp"

namespace vitrine::api::image {
namespace {

using documents::View;

std::string link(std::string const& query) {
  return query.empty() ? "/v2/images" : "/v2/images?" + query;
}

View view_of(Services const& services) {
  return documents::native_list(services.config.compat.profile == ops::Profile::ims);
}

Result<model::ImageListing> listing_of(Context const& context, Services& services) {
  auto const& images = services.config.images;
  return documents::read_listing(context.query, context.caller,
                                 {images.page_default, images.page_max}, view_of(services));
}

Result<Reply> document(Context const& context, Services& services, service::ImagePage const& page) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("images").begin_array();
  for (auto const& image : page.images)
    documents::write_image(writer, image, context.caller, view_of(services), services.image_stores);
  writer.end_array().field("first", link(context.query.with("marker", std::nullopt)));
  if (page.has_more) {
    writer.field("next", link(context.query.with("marker", page.images.back().id.text)));
  }
  writer.field("schema", "/v2/schemas/images").end_object();
  return json_reply(200, std::move(body));
}

Result<Reply> run(Context& context, Services& services) {
  auto listing = TRY(listing_of(context, services));
  if (auto const marker = context.query.last("marker")) {
    listing.after = TRY(documents::read_marker(context.caller, services.images, *marker));
  }
  return document(context, services, TRY(services.images.list(context.caller, listing)));
}

bool run_later(Context& context, Services& services, Endpoint::Answered answered) {
  auto listing = listing_of(context, services);
  if (!listing) return false;
  auto done = [&context, &services,
               answered = std::move(answered)](Result<service::ImagePage> page) {
    answered([&context, &services, page = std::move(page)]() -> Result<Reply> {
      if (!page) return Error(page.error());
      return document(context, services, *page);
    });
  };
  return documents::list_later(context.caller, services.images, std::move(*listing),
                               std::optional<std::string>(context.query.last("marker")),
                               std::move(done));
}

} // namespace

Endpoint list_images() {
  return plain_endpoint({.verb = Verb::get,
                         .path = "/v2/images",
                         .name = "image.v2.list_images",
                         .family = &image_family,
                         .action = "get_images",
                         .errors = {Fault::forbidden, Fault::invalid_query, Fault::invalid_marker},
                         .summary = "List the images the project sees, a page at a time.",
                         .query = {{"limit", "Most images of the page."},
                                   {"marker", "Id of the image before the page."},
                                   {"sort", "Keys with directions: name:asc,size."},
                                   {"sort_key", "A key; repeatable."},
                                   {"sort_dir", "asc or desc; one for all keys or one for each."},
                                   {"visibility", "public, private, shared, community or all."},
                                   {"member_status", "pending, accepted, rejected or all."},
                                   {"owner", "Project that owns the images."},
                                   {"os_hidden", "true lists only hidden images."},
                                   {"tag", "A tag; repeatable, all must be there."}}},
                        run, run_later);
}

} // namespace vitrine::api::image
