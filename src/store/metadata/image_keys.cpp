#include "store/metadata/image_keys.hpp"

namespace vitrine::store {

Result<std::optional<WrappedKey>> ImageKeys::find(ImageId const& image) {
  std::optional<WrappedKey> wrapped;
  TRY(connection_.run(sql::get_image_key, {image},
                      [&](Row const& row) { wrapped = WrappedKey{row.string(0), row.string(1)}; }));
  return wrapped;
}

Result<std::int64_t> ImageKeys::count() {
  std::int64_t count = 0;
  TRY(connection_.run(sql::count_image_keys, {}, [&](Row const& row) { count = row.integer(0); }));
  return count;
}

Result<std::vector<std::pair<std::string, std::int64_t>>> ImageKeys::master_keys() {
  std::vector<std::pair<std::string, std::int64_t>> keys;
  TRY(connection_.run(sql::list_keys_of_images, {},
                      [&](Row const& row) { keys.emplace_back(row.string(0), row.integer(1)); }));
  return keys;
}

Result<> ImageKeys::add(ImageId const& image, WrappedKey const& wrapped) {
  TRY(connection_.run(sql::add_image_key, {image, wrapped.key, wrapped.text}));
  return {};
}

} // namespace vitrine::store
