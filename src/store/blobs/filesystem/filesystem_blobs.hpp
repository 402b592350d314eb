// Blobs as files: DIR/<first two digits>/<id>, with DIR/staging/<id> while they are written, and
// DIR/vitrine-store, the mark. A directory that had a mark and has none any more is that below a
// volume which is not mounted: nothing is written there, and no blob is said to be missing.
#pragma once

#include "store/blobs/blobs.hpp"
#include "store/blobs/place_mark.hpp"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string_view>

namespace vitrine::store {

class FilesystemBlobs final : public Blobs, public PlaceMark {
public:
  /// Whether the directory was made to hold blobs: it has the mark, or a blob, as those that were
  /// made before there were marks. Writes nothing. Error: `unavailable` with the reason.
  static Result<bool> is_made(std::filesystem::path const& directory);
  /// Makes what is missing of the directories, but no mark. Error: `unavailable` with the reason.
  static Result<std::unique_ptr<FilesystemBlobs>> open(std::filesystem::path directory);

  Result<std::unique_ptr<BlobWriter>> create(BlobId const& id,
                                             std::optional<std::uint64_t> size_bytes) override;
  Result<std::unique_ptr<StoredBytes>> open(BlobId const& id) override;
  Result<> remove(BlobId const& id) override;
  Result<> list(std::function<void(StoredBlob const&)> const& each) override;
  Result<> look() override;
  Result<std::optional<std::string>> mark() override;
  Result<> set_mark(std::string_view text) override;

private:
  FilesystemBlobs(std::filesystem::path directory, bool is_marked)
      : directory_(std::move(directory)), is_marked_(is_marked) {}
  /// Empty where none was seen yet.
  [[nodiscard]] std::filesystem::path mark_path() const;
  [[nodiscard]] std::filesystem::path place(BlobId const& id) const;
  [[nodiscard]] std::filesystem::path staging(BlobId const& id) const;

  std::filesystem::path const directory_;
  std::atomic<bool> is_marked_;
};

} // namespace vitrine::store
