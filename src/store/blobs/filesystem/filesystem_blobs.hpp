// Blobs as files: DIR/<first two digits>/<id>, with DIR/staging/<id> while they are written, and
// DIR/vitrine-store, by which a directory is told from one that lies below it: that of a volume
// which is not mounted. Without the mark nothing is written there, and no blob is said to be
// missing.
#pragma once

#include "store/blobs/blobs.hpp"

#include <filesystem>
#include <memory>
#include <string_view>

namespace vitrine::store {

class FilesystemBlobs final : public Blobs {
public:
  static constexpr std::string_view kMark = "vitrine-store";

  /// Whether the directory was made to hold blobs: it has the mark, or a blob, as those that were
  /// made before there were marks. Writes nothing. Error: `unavailable` with the reason.
  static Result<bool> is_made(std::filesystem::path const& directory);
  /// Makes what is missing of the directories and the mark. Error: `unavailable` with the reason.
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
