// GET /v1/cloudimages/tags (contract: ims-api 9.4).
#include "api/documents/listing.hpp"
#include "api/kit/endpoint.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "service/images.hpp"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <set>
#include <vector>

namespace vitrine::api::ims {
namespace {

constexpr auto kWholeMax = std::numeric_limits<std::int64_t>::max();

using Tags = std::set<std::string, std::less<>>;

Result<std::optional<std::size_t>> whole(Query const& query, std::string_view name,
                                         std::int64_t least) {
  auto const text = query.last(name);
  if (!text) return std::optional<std::size_t>();
  // Beyond what a number holds it is as good as the most, as for the list of images.
  bool const digits = !text->empty() && std::ranges::all_of(*text, text::is_digit);
  auto const number = text::parse_int(*text).value_or(digits ? kWholeMax : least - 1);
  if (number >= least) return std::optional(static_cast<std::size_t>(number));
  return error(Fault::invalid_query, fmt::format("{} must be a whole number from {}", name, least),
               std::string(name));
}

// The list of images is read to its end, a page at a time.
Result<Tags> tags_of(model::Caller const& caller, service::Images& images,
                     model::ImageListing listing) {
  Tags tags;
  while (true) {
    auto page = TRY(images.list(caller, listing));
    for (auto const& image : page.images) {
      for (auto& tag : image.tags())
        tags.insert(std::move(tag));
    }
    if (!page.has_more || page.images.empty()) return tags;
    listing.after = std::move(page.images.back());
  }
}

Result<Reply> run(Context& context, Services& services) {
  auto const query = context.query.without_empty();
  auto const page = TRY(whole(query, "page", 1)).value_or(1);
  auto const limit = TRY(whole(query, "limit", 0));
  auto const filters = query.without({"page", "limit", "marker", "sort", "sort_key", "sort_dir"});
  constexpr auto kMost = limits::extension_page_max;
  auto listing = TRY(
      documents::read_listing(filters, context.caller, {kMost, kMost}, documents::View::extension));
  auto const tags = TRY(tags_of(context.caller, services.images, std::move(listing)));
  auto const size = limit.value_or(tags.size());
  auto const before = size == 0 || page - 1 > tags.size() / size ? tags.size() : (page - 1) * size;
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("tags").begin_array();
  auto at = std::next(tags.begin(), static_cast<std::ptrdiff_t>(before));
  for (std::size_t i = 0; i < size && at != tags.end(); ++i, ++at)
    writer.string(*at);
  writer.end_array().end_object();
  return json_reply(200, std::move(body));
}

} // namespace

Endpoint list_tags() {
  return plain_endpoint(
      {.verb = Verb::get,
       .path = "/v1/cloudimages/tags",
       .name = "ims.v1.list_tags",
       .family = &ims_family,
       .action = "ims:images:list",
       .errors = {Fault::forbidden, Fault::invalid_query, Fault::architecture},
       .summary = "List the tags of the images that fit; filters as of GET /v2/cloudimages.",
       .query = {{"page", "Which page of tags, from 1."},
                 {"limit", "Tags of a page; all if not given."}}},
      run);
}

} // namespace vitrine::api::ims
