// All stores of image data as one: the id of a blob says which of them it lies in
// (model/image_stores.hpp).
#pragma once

#include "store/blobs/blobs.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace vitrine::store {

/// What concerns a blob whose store is not there is `unavailable`: its bytes may well be.
class BlobStores final : public Blobs {
public:
  /// By what ids call them; the first store, called nothing, is one of them.
  using ByKey = std::map<std::string, std::unique_ptr<Blobs>, std::less<>>;

  /// Each knows its blobs by ids of its own, which name no store.
  explicit BlobStores(ByKey stores);

  Result<std::unique_ptr<BlobWriter>> create(BlobId const& id,
                                             std::optional<std::uint64_t> size_bytes) override;
  Result<std::unique_ptr<StoredBytes>> open(BlobId const& id) override;
  Result<> remove(BlobId const& id) override;
  Result<> list(std::function<void(StoredBlob const&)> const& each) override;
  Result<> look() override;

  [[nodiscard]] bool has(std::string_view key) const { return stores_.contains(key); }
  /// Each store by its key; the ids of its blobs are those of the service.
  [[nodiscard]] ByKey const& all() const noexcept { return stores_; }

private:
  [[nodiscard]] Result<Blobs*> store_with(BlobId const& id) const;

  ByKey stores_;
};

} // namespace vitrine::store
