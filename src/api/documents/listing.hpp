// What a query of GET /v2/images or GET /v2/cloudimages asks the store for (contract:
// glance-v2 3.3, ims-api 6.1).
#pragma once

#include "api/documents/view.hpp"
#include "api/kit/query.hpp"
#include "model/caller.hpp"
#include "model/listing.hpp"
#include "service/images.hpp"

#include <functional>
#include <optional>
#include <string>

namespace vitrine::api::documents {

struct PageLimits {
  std::int64_t standard; ///< without `limit`
  std::int64_t most;     ///< larger values of `limit` are cut
};

/// The listing that a caller's query means, without its marker. Times are compared at whole
/// seconds, as they are answered; attributes that the view computes by what its document shows.
/// Errors: `invalid_query`, naming the parameter; `architecture`.
Result<model::ImageListing> read_listing(Query const& query, model::Caller const& caller,
                                         PageLimits limits, View view);

/// The image that a page starts behind. Error: `invalid_marker`, for what the caller does not see.
Result<model::Image> read_marker(model::Caller const& caller, service::Images& images,
                                 std::string_view id);

/// The page of a listing, behind the image of that id when one is given, without waiting
/// (`service::Images::list_later`). The caller and `images` must live until `done`.
bool list_later(model::Caller const& caller, service::Images& images, model::ImageListing listing,
                std::optional<std::string> const& marker,
                std::function<void(Result<service::ImagePage>)> done);

} // namespace vitrine::api::documents
