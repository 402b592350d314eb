// Pages of images: one statement a page, whose cost does not grow with the number of images or the
// depth of the page (docs/decisions/0003-listing.md).
#pragma once

#include "model/listing.hpp"
#include "store/metadata/connection.hpp"

#include <optional>
#include <vector>

namespace vitrine::store {

/// Properties and tags of the images of a page, in bytes: the page ends with the image that reaches
/// it, so that neither `limit` nor the images of others decide how much memory a list takes.
constexpr std::size_t kPageBytesMax = 4U << 20U;

struct ListedImages {
  std::vector<model::Image> images; ///< in order
  /// The last row read, when there may be more; of the images, unless it had but the hash of a term
  /// in common.
  std::optional<model::Image> last;
};

/// The images of the page; at most `limit`, and one at least if there is any but those that have
/// only the hash of a term in common. Runs inside a read of `Database`.
Result<ListedImages> list_images(Connection& connection, model::ImageListing const& listing);

} // namespace vitrine::store
