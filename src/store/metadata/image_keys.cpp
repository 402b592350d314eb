#include "store/metadata/image_keys.hpp"

namespace vitrine::store {

Result<std::optional<WrappedKey>> ImageKeys::find(ImageId const& image) {
  std::optional<WrappedKey> wrapped;
  TRY(connection_.run(sql::get_image_key, {image},
                      [&](Row const& row) { wrapped = WrappedKey{row.string(0), row.string(1)}; }));
  return wrapped;
}

Result<> ImageKeys::add(ImageId const& image, WrappedKey const& wrapped) {
  TRY(connection_.run(sql::add_image_key, {image, wrapped.key, wrapped.text}));
  return {};
}

} // namespace vitrine::store
