#include "store/blobs/blob_stores.hpp"

#include "model/image_stores.hpp"
#include "ops/log.hpp"

#include <fmt/format.h>
#include <utility>

namespace vitrine::store {
namespace {

/// A further store: ids name it everywhere but inside of it.
class FurtherStore final : public Blobs {
public:
  FurtherStore(std::string key, std::unique_ptr<Blobs> inner)
      : key_(std::move(key)), inner_(std::move(inner)) {}

  Result<std::unique_ptr<BlobWriter>> create(BlobId const& id,
                                             std::optional<std::uint64_t> size_bytes) override {
    return inner_->create(model::id_in_store(id), size_bytes);
  }
  Result<std::unique_ptr<StoredBytes>> open(BlobId const& id) override {
    return inner_->open(model::id_in_store(id));
  }
  Result<> remove(BlobId const& id) override { return inner_->remove(model::id_in_store(id)); }
  Result<> list(std::function<void(StoredBlob const&)> const& each) override {
    return inner_->list([&](StoredBlob blob) {
      blob.id = model::id_in_service(blob.id, key_);
      each(blob);
    });
  }
  Result<> look() override { return inner_->look(); }

private:
  std::string const key_;
  std::unique_ptr<Blobs> const inner_;
};

} // namespace

BlobStores::BlobStores(ByKey stores) : stores_(std::move(stores)) {
  for (auto& [key, store] : stores_) {
    if (!key.empty()) store = std::make_unique<FurtherStore>(key, std::move(store));
  }
}

Result<Blobs*> BlobStores::store_with(BlobId const& id) const {
  auto const found = stores_.find(model::store_of(id));
  if (found != stores_.end()) return found->second.get();
  ops::log_error("store.not_configured", {{"store", model::store_of(id)}, {"blob", id.text}});
  return error(Fault::unavailable, "The image store is not configured.");
}

Result<std::unique_ptr<BlobWriter>> BlobStores::create(BlobId const& id,
                                                       std::optional<std::uint64_t> size_bytes) {
  return TRY(store_with(id))->create(id, size_bytes);
}

Result<std::unique_ptr<StoredBytes>> BlobStores::open(BlobId const& id) {
  return TRY(store_with(id))->open(id);
}

Result<> BlobStores::remove(BlobId const& id) { return TRY(store_with(id))->remove(id); }

Result<> BlobStores::list(std::function<void(StoredBlob const&)> const& each) {
  for (auto const& [key, store] : stores_) {
    auto const listed = store->list(each);
    if (listed) continue;
    auto failure = listed.error();
    if (!key.empty()) failure.detail = fmt::format("store {}: {}", key, failure.detail);
    return failure;
  }
  return {};
}

Result<> BlobStores::look() {
  for (auto const& [key, store] : stores_)
    TRY(store->look());
  return {};
}

} // namespace vitrine::store
