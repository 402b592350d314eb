#include "model/image_stores.hpp"

#include "base/result.hpp"

#include <algorithm>
#include <utility>

namespace vitrine::model {
namespace {

constexpr char kSeparator = '@'; // which no name of a store has

} // namespace

std::string_view store_of(BlobId const& id) noexcept {
  auto const at = id.text.find(kSeparator);
  return at == std::string::npos ? std::string_view() : std::string_view(id.text).substr(at + 1);
}

BlobId id_in_store(BlobId const& id) { return {id.text.substr(0, id.text.find(kSeparator))}; }

BlobId id_in_service(BlobId const& in_store, std::string_view store) {
  if (store.empty()) return in_store;
  return {in_store.text + kSeparator + std::string(store)};
}

BlobId new_blob_id(std::string_view store) { return id_in_service({new_hex_id()}, store); }

ImageStores::ImageStores(std::vector<ImageStore> stores, std::string_view default_name)
    : stores_(std::move(stores)) {
  auto const* const chosen = named(default_name);
  CHECK(chosen != nullptr);
  default_ = static_cast<std::size_t>(chosen - stores_.data());
}

ImageStore const* ImageStores::named(std::string_view name) const noexcept {
  auto const found = std::ranges::find(stores_, name, &ImageStore::name);
  return found == stores_.end() ? nullptr : &*found;
}

ImageStore const* ImageStores::with_key(std::string_view key) const noexcept {
  auto const found = std::ranges::find(stores_, key, &ImageStore::key);
  return found == stores_.end() ? nullptr : &*found;
}

std::string_view ImageStores::name_of_store(BlobId const& id) const noexcept {
  auto const key = store_of(id);
  auto const* const store = with_key(key);
  return store != nullptr ? std::string_view(store->name) : key;
}

} // namespace vitrine::model
