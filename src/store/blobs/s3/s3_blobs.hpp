// Blobs as objects of a bucket: PREFIX<id>, and PREFIXvitrine-store, the mark.
#pragma once

#include "store/blobs/blobs.hpp"
#include "store/blobs/place_mark.hpp"
#include "store/s3/calls.hpp"

#include <memory>

namespace vitrine::store::s3 {

struct Options {
  ServerOptions server{};
  Keys keys{};
  std::string bucket{};
  std::string prefix{}; ///< of all keys; may be empty
  std::size_t part_bytes{16U << 20U};
};

/// Several processes may use one bucket and prefix, as long as they share a database.
class S3Blobs final : public Blobs, public PlaceMark {
public:
  /// Asks the store nothing. Error: `unavailable` when the keys cannot be read.
  static Result<std::unique_ptr<S3Blobs>> open(Options options);

  Result<std::unique_ptr<BlobWriter>> create(BlobId const& id,
                                             std::optional<std::uint64_t> size_bytes) override;
  Result<std::unique_ptr<StoredBytes>> open(BlobId const& id) override;
  Result<> remove(BlobId const& id) override;
  Result<> list(std::function<void(StoredBlob const&)> const& each) override;
  Result<> look() override;
  Result<std::optional<std::string>> mark() override;
  Result<> set_mark(std::string_view text) override;

private:
  S3Blobs(Options options, std::shared_ptr<Account> account);
  Result<> list_objects(std::function<void(StoredBlob const&)> const& each);
  [[nodiscard]] std::optional<StoredBlob> blob_of(std::string_view entry, std::string_view time,
                                                  bool committed) const;

  SystemClock const clock_;
  std::size_t const part_bytes_;
  Server server_;
  Calls const calls_;
};

} // namespace vitrine::store::s3
