// Pages of images: one statement a page, whose cost does not grow with the number of images or the
// depth of the page (docs/decisions/0003-listing.md).
#pragma once

#include "model/listing.hpp"
#include "store/metadata/connection.hpp"

namespace vitrine::store {

/// Properties and tags of the images of a page, in bytes: the page ends with the image that reaches
/// it, so that neither `limit` nor the images of others decide how much memory a list takes.
constexpr std::size_t kPageBytesMax = 4U << 20U;

/// The images of the page, in order; at most `limit`, and one at least if there is any. Runs inside
/// a read of `Database`.
Result<model::ImagePage> list_images(Connection& connection, model::ImageListing const& listing);

} // namespace vitrine::store
