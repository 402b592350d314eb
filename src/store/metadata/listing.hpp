// Pages of images: one statement a page, whose cost does not grow with the number of images or the
// depth of the page (docs/decisions/0003-listing.md).
#pragma once

#include "model/image.hpp"
#include "model/listing.hpp"
#include "store/metadata/connection.hpp"

#include <vector>

namespace vitrine::store {

/// The images of the page, in order; at most `limit`. Runs inside a read of `Database`.
Result<std::vector<model::Image>> list_images(Connection& connection,
                                              model::ImageListing const& listing);

} // namespace vitrine::store
