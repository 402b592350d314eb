// Copies of images within the region (contract: ims-api 7). No bytes are written: both images refer
// to the same blob, whatever its size.
#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "model/image.hpp"
#include "service/access.hpp"
#include "service/batch.hpp"
#include "service/images.hpp"
#include "store/metadata/database.hpp"

#include <cstdint>
#include <string>

namespace vitrine::service {

/// What is to be copied, and what the copy shall be.
struct CopyRequest {
  ImageId source;
  ImageId target; ///< id of the copy; new
  std::string name;
  std::string description;        ///< none when empty
  std::string key;                ///< that the copy is encrypted with; none when empty
  std::string enterprise_project; ///< none when empty
};

struct CopyOptions {
  std::int64_t size_bytes_max{limits::copy_size_bytes}; ///< of the stored data
};

/// Thread-safe.
class Copies {
public:
  Copies(Access const& access, Images const& images, CopyOptions options);

  /// Could the copy be made now, inside a unit of work? Errors: `image_not_found`,
  /// `public_of_others`, `share_not_accepted`, `image_not_active`, `full_server_not_copied`,
  /// `iso_image`, `image_too_large`, `encrypted_share`, `key_missing`, `key_disabled`,
  /// `no_key_service`, `forbidden` (download_image), those of `Images::check_new`.
  Result<> check(store::Connection& connection, model::Caller const& caller,
                 CopyRequest const& request) const;
  /// Makes it, inside the unit of work of a job: a private image of the caller with the attributes
  /// of the source. Errors as of `check`.
  Result<> make(store::Connection& connection, Batch const& batch,
                CopyRequest const& request) const;
  /// Tells the audit trail that the copy failed.
  Result<> tell_failure(store::Connection& connection, Batch const& batch,
                        CopyRequest const& request, Error const& why) const;

private:
  Result<model::Image> prepare(store::Connection& connection, model::Caller const& caller,
                               CopyRequest const& request) const;
  Result<> check_source(model::Caller const& caller, Sight const& sight) const;

  Access const& access_;
  Images const& images_;
  CopyOptions const options_;
  policy::ActionId const download_;
};

} // namespace vitrine::service
