// Image data on its way out.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"
#include "service/access.hpp"
#include "store/blobs/blobs.hpp"
#include "store/metadata/database.hpp"

#include <memory>
#include <optional>
#include <string>

namespace vitrine::service {

struct Download {
  std::unique_ptr<StoredBytes> data;
  std::optional<std::string> checksum; ///< MD5, lower-case hex
};

/// Thread-safe.
class Downloads {
public:
  Downloads(store::Database& database, store::Blobs& blobs, Access const& access)
      : database_(database), blobs_(blobs), access_(access),
        action_(access.action("download_image")) {}

  /// Opens the data of an image; nothing when it has none yet. Errors: `image_not_found`,
  /// `forbidden`, `image_deactivated` unless the caller is administrator, `unavailable`.
  Result<std::optional<Download>> open(model::Caller const& caller, ImageId const& image);

private:
  store::Database& database_;
  store::Blobs& blobs_;
  Access const& access_;
  policy::ActionId const action_;
};

} // namespace vitrine::service
