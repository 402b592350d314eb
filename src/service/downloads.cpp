#include "service/downloads.hpp"

#include "store/metadata/images.hpp"

namespace vitrine::service {

Result<std::optional<Download>> Downloads::open(model::Caller const& caller, ImageId const& id) {
  auto found = database_.read_single(
      [&](store::Connection& connection) { return store::Images(connection).get_for(id, caller); });
  if (!found) return Error(std::move(found.error()));
  auto& image = found->image;
  TRY(access_.require(action_, caller, {image, found->membership}));
  if (image.status == model::ImageStatus::deactivated && !caller.is_admin) {
    return error(Fault::image_deactivated);
  }
  if (image.blob.empty()) return std::optional<Download>();
  auto data = blobs_.open(image.blob);
  if (data) return std::optional(Download{std::move(*data), std::move(image.checksum)});
  // A blob that an active image refers to exists, unless the image was deleted this moment.
  if (data.error().fault == Fault::not_found) return error(Fault::image_not_found, id.text);
  return Error(data.error());
}

} // namespace vitrine::service
