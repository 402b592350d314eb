// Copies of images within the region (contract: ims-api 7). Where no key is involved no bytes are
// written: both images refer to the same blob, whatever its size. Else the data is carried by the
// job, from the key of the source, if it has one, to that of the copy, if it is to have one.
#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "model/image.hpp"
#include "service/access.hpp"
#include "service/batch.hpp"
#include "service/encryption.hpp"
#include "service/images.hpp"
#include "service/uploads.hpp"
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
  std::string key;                ///< that the copy is encrypted with (cmk_id); none when empty
  std::string enterprise_project; ///< none when empty
};

struct CopyOptions {
  /// Of the stored data, where it has to be carried: a key is involved.
  std::int64_t size_bytes_max{limits::copy_size_bytes};
};

/// What is left to do once a copy has begun.
struct CopyWork {
  model::Image image;  ///< the copy; active when everything is done
  model::Image source; ///< as it was when the copy began, as below
  std::optional<store::WrappedKey> source_key;
};

/// Thread-safe.
class Copies {
public:
  Copies(Access const& access, Images const& images, Encryption const& encryption, Uploads& uploads,
         CopyOptions options);

  /// Could the copy be made now, inside a unit of work? Errors: `image_not_found`,
  /// `public_of_others`, `share_not_accepted`, `image_not_active`, `full_server_not_copied`,
  /// `iso_image`, `image_too_large`, `forbidden` (download_image); of the key of the source
  /// `encrypted_share` and those of `Encryption::check_use`; of the key of the copy `new_key_same`
  /// and those of `Encryption::check_new`; those of `Images::check_new`.
  Result<> check(store::Connection& connection, KeyStates& states, model::Caller const& caller,
                 CopyRequest const& request) const;
  /// Whether a job will have to carry the data, inside a unit of work: a key is involved.
  static Result<bool> carries_data(store::Connection& connection, CopyRequest const& request);
  /// Makes it, inside the unit of work of a job: a private image of the caller with the attributes
  /// of the source. It is active where no key is involved; else it waits for the data, which
  /// `begin_data` takes, also when an earlier attempt had begun (`was_made`). Errors: as of
  /// `check`; `image_not_found` when it was made and then deleted.
  Result<CopyWork> begin(store::Connection& connection, KeyStates& states, Batch const& batch,
                         CopyRequest const& request, bool was_made) const;
  /// The plain bytes of the source. Errors: those of `Encryption::open_whole`.
  Result<std::unique_ptr<StoredBytes>> open_source(CopyWork const& work) const;
  /// The way of the data into the copy, encrypted if it is to be. Errors: those of
  /// `Encryption::seal` and `Uploads::begin_announced`.
  Result<std::unique_ptr<Upload>> begin_data(Batch const& batch, CopyRequest const& request,
                                             CopyWork const& work) const;
  /// The copy failed and is not whole, in a unit of work of the job: what was made of it goes, and
  /// the audit trail tells.
  Result<> give_up(store::Connection& connection, Batch const& batch, CopyRequest const& request,
                   Error const& why) const;

private:
  /// The source, and the copy as it is to be.
  struct Pair {
    model::Image source;
    model::Image copy;
  };
  Result<Pair> prepare(store::Connection& connection, KeyStates& states,
                       model::Caller const& caller, CopyRequest const& request) const;
  Result<> check_source(model::Caller const& caller, Sight const& sight,
                        CopyRequest const& request) const;

  Access const& access_;
  Images const& images_;
  Encryption const& encryption_;
  Uploads& uploads_;
  CopyOptions const options_;
  policy::ActionId const download_;
};

} // namespace vitrine::service
