// Image data on its way out.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"
#include "service/access.hpp"
#include "service/encryption.hpp"
#include "store/metadata/database.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace vitrine::service {

struct Download {
  std::unique_ptr<StoredBytes> data;
  std::optional<std::string> checksum; ///< MD5, lower-case hex
};

/// Data that is not as the database has it.
struct DamagedData {
  ImageId image;
  BlobId blob;
  std::int64_t size_bytes;                       ///< by the database
  std::optional<std::uint64_t> size_found_bytes; ///< nothing when there is no data at all
};

/// Thread-safe.
class Downloads {
public:
  /// Told of data that is not as it should be, from any thread.
  using Damaged = std::function<void(DamagedData const&)>;

  Downloads(store::Database& database, Encryption const& encryption, Access const& access,
            Damaged damaged = {})
      : database_(database), encryption_(encryption), access_(access), damaged_(std::move(damaged)),
        action_(access.action("download_image")) {}

  /// Opens the data of an image; nothing when it has none yet. Errors: `image_not_found`,
  /// `forbidden`, `image_deactivated` unless the caller is administrator, those of
  /// `Encryption::check_grant` and `Encryption::open`, `unavailable`, also when the store has not
  /// all the data of an image that is there. What is opened stays open when a grant is withdrawn.
  Result<std::optional<Download>> open(model::Caller const& caller, ImageId const& image);

private:
  Result<model::Image> admit(model::Caller const& caller, ImageId const& image);
  Result<std::optional<store::WrappedKey>> data_key(model::Caller const& caller,
                                                    model::Image const& image);
  Error refuse(model::Image const& image, std::optional<std::uint64_t> size_found_bytes) const;

  store::Database& database_;
  Encryption const& encryption_;
  Access const& access_;
  Damaged const damaged_;
  policy::ActionId const action_;
};

} // namespace vitrine::service
