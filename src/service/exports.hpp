// Data of images on its way to a file in a bucket (contract: ims-api 6.8). The rules; the job that
// carries the bytes asks them.
#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "convert/converter.hpp"
#include "formats/format.hpp"
#include "model/image.hpp"
#include "model/object_url.hpp"
#include "service/access.hpp"
#include "service/batch.hpp"
#include "service/encryption.hpp"
#include "store/buckets/buckets.hpp"
#include "store/metadata/database.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::service {

struct ExportRequest {
  ImageId image;
  model::ObjectUrl target;
  std::string format; ///< to convert to; empty: the bytes as they are stored, of any size
};

/// An image that may be exported, with what opens its data, when that is encrypted.
struct ExportSource {
  model::Image image;
  std::optional<store::WrappedKey> key;
};

/// Thread-safe.
class Exports {
public:
  Exports(Access const& access, Encryption const& encryption, store::Buckets const& buckets,
          convert::Converter& converter);

  /// The image, if it may be exported now, inside a unit of work. Errors: `image_not_found`,
  /// `public_not_exported`, `not_image_owner`, `image_not_active`, `full_server_not_exported`,
  /// `from_backup`, `iso_image`, `export_forbidden`, `export_too_large`, `forbidden`
  /// (download_image), `format_unwritable`; of an encrypted image `not_offered` for its bytes
  /// as they are stored, and those of `Encryption::check_use`.
  Result<ExportSource> admit(store::Connection& connection, KeyStates& states,
                             model::Caller const& caller, ExportRequest const& request) const;

  /// Why nothing can be exported, whatever the image: `no_object_store`.
  [[nodiscard]] std::optional<Error> unserved() const;

  /// The bytes that belong in the file, plain; converted ones lie in a file of their own. Blocks.
  /// Errors: those of `convert::Converter::convert` and `Encryption::open_whole`.
  Result<std::unique_ptr<StoredBytes>> open(ExportSource const& source,
                                            ExportRequest const& request,
                                            formats::Progress const& progress) const;

  /// Tells the audit trail how the export ended, inside a unit of work.
  Result<> tell(store::Connection& connection, Batch const& batch, ExportRequest const& request,
                std::optional<Error> const& why) const;

private:
  Result<> check_kind(store::Connection& connection, model::Image const& image) const;
  [[nodiscard]] Result<> check_conversion(model::Image const& image, std::string_view format) const;

  Access const& access_;
  Encryption const& encryption_;
  store::Buckets const& buckets_;
  convert::Converter& converter_;
  policy::ActionId const download_;
};

} // namespace vitrine::service
