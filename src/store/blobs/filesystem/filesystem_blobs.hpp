// Blobs as files: DIR/<first two digits>/<id>, with DIR/staging/<id> while they are written.
#pragma once

#include "store/blobs/blobs.hpp"

#include <filesystem>
#include <memory>

namespace vitrine::store {

class FilesystemBlobs final : public Blobs {
public:
  /// Creates the directories. Error: `unavailable` with the reason.
  static Result<std::unique_ptr<FilesystemBlobs>> open(std::filesystem::path directory);

  Result<std::unique_ptr<BlobWriter>> create(BlobId const& id,
                                             std::optional<std::uint64_t> size_bytes) override;
  Result<std::unique_ptr<StoredBytes>> open(BlobId const& id) override;
  Result<> remove(BlobId const& id) override;
  Result<> list(std::function<void(StoredBlob const&)> const& each) override;
  Result<> look() override;

private:
  explicit FilesystemBlobs(std::filesystem::path directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::filesystem::path place(BlobId const& id) const;
  [[nodiscard]] std::filesystem::path staging(BlobId const& id) const;

  std::filesystem::path const directory_;
};

} // namespace vitrine::store
