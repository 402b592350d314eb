#include "service/downloads.hpp"

#include "store/metadata/image_keys.hpp"
#include "store/metadata/images.hpp"

#include <utility>

namespace vitrine::service {

/// The image, if the caller may have its data now.
Result<model::Image> Downloads::admit(model::Caller const& caller, ImageId const& id) {
  auto found = TRY(database_.read_single([&](store::Connection& connection) {
    return store::Images(connection).get_for(id, caller);
  }));
  TRY(access_.require(action_, caller, {found.image, found.membership}));
  if (found.image.status == model::ImageStatus::deactivated && !caller.is_admin) {
    return error(Fault::image_deactivated);
  }
  return std::move(found.image);
}

/// The data key of the image, if the caller may use it now; nothing when it is not encrypted.
Result<std::optional<store::WrappedKey>> Downloads::data_key(model::Caller const& caller,
                                                             model::Image const& image) {
  using Key = std::optional<store::WrappedKey>;
  if (!key_of(image)) return Key();
  return database_.read([&](store::Connection& connection) -> Result<Key> {
    TRY(Encryption::check_grant(connection, caller, image));
    return store::ImageKeys(connection).find(image.id);
  });
}

Result<std::optional<Download>> Downloads::open(model::Caller const& caller, ImageId const& id) {
  auto image = TRY(admit(caller, id));
  if (image.blob.empty()) return std::optional<Download>();
  auto const key = TRY(data_key(caller, image));
  auto data = encryption_.open(image, key);
  if (!data) {
    if (data.error().fault != Fault::not_found) return Error(data.error());
    TRY(admit(caller, id)); // it may have been deleted this moment; else a 404 would be a lie
    return refuse(image, std::nullopt);
  }
  auto const size_bytes = (*data)->size_bytes();
  if (std::cmp_not_equal(size_bytes, image.size_bytes.value_or(0))) {
    return refuse(image, size_bytes);
  }
  return std::optional(Download{std::move(*data), std::move(image.checksum)});
}

Error Downloads::refuse(model::Image const& image,
                        std::optional<std::uint64_t> size_found_bytes) const {
  if (damaged_) {
    damaged_({image.id, image.blob, image.size_bytes.value_or(0), size_found_bytes});
  }
  return error(Fault::unavailable, "The image store does not have all the data of the image.");
}

} // namespace vitrine::service
