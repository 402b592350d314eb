// Images whose data comes from a file in a bucket: new ones, and queued ones that are registered
// (contract: ims-api 6.3.2, 6.4, 6.5, 6.7). The rules; the job that carries the bytes asks them.
#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "formats/inspector.hpp"
#include "model/image.hpp"
#include "model/object_url.hpp"
#include "service/access.hpp"
#include "service/batch.hpp"
#include "service/encryption.hpp"
#include "service/expected_hash.hpp"
#include "service/images.hpp"
#include "service/uploads.hpp"
#include "store/buckets/buckets.hpp"
#include "store/metadata/database.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::service {

/// A part of a file that is read as if it were one: a disk in an archive.
struct ImportSlice {
  std::uint64_t offset{0};
  std::uint64_t size_bytes{0};
  std::string etag; ///< of the file when the part was found; another one is not read
};

/// What is to be imported. An image that is registered is there already: of the draft only the id
/// counts then.
struct ImportRequest {
  bool registers{false};
  model::ObjectUrl source;
  std::int64_t size_bytes_max{limits::import_size_bytes};
  std::vector<std::string> formats; ///< that are taken; all when empty
  bool has_sub_job{false};          ///< for clients that look for one (contract: ims-api D17)
  std::optional<ImportSlice> slice{};
  std::string expected_sha256{}; ///< lower-case hex; empty when any bytes will do
  /// Id, name, tags, properties, min_disk, min_ram of the image to be made; encrypted with the key
  /// that its `kKeyProperty` names. A min_disk of 0 becomes that of the disk in the file.
  model::Image draft;
};

/// What the request says of its file, if it does.
std::optional<ExpectedHash> expected_hash(ImportRequest const& request);

/// Thread-safe.
class Imports {
public:
  Imports(Access const& access, Images const& images, Encryption const& encryption,
          Uploads& uploads, store::Buckets const& buckets, Clock const& clock);

  /// Takes the request inside the unit of work that stores its job: could the image be made now? An
  /// image that is registered becomes `saving`. Errors: `image_not_found`, `public_of_others`,
  /// `not_image_owner`, `image_not_active`, those of `Images::check_new`; of an image that is to be
  /// encrypted those of `Encryption::check_new`. `images` is how many are made together with this
  /// one.
  Result<> take(store::Connection& connection, KeyStates& states, model::Caller const& caller,
                ImportRequest const& request, std::int64_t images = 1) const;

  /// Why nothing can be imported, whatever the request: `no_object_store`.
  [[nodiscard]] std::optional<Error> unserved() const;

  /// The image, which waits for data from now on, in a unit of work of the job; made when it is not
  /// there, unless `was_made`. When it is not `saving` an earlier attempt has done everything.
  /// Errors: `image_not_found` when it was deleted, those of `take`.
  Result<model::Image> begin(store::Connection& connection, KeyStates& states, Batch const& batch,
                             ImportRequest const& request, bool was_made) const;

  /// Reads all of a file whose disks are imported one by one: is it the one that is expected?
  /// `advance` is called again and again, and may fail. Errors: `object_unreadable` when it is not,
  /// those of `stream` and `advance`.
  static Result<> check_whole(store::BucketObject& object, ImportRequest const& request,
                              std::function<Result<>()> const& advance);

  /// What the data is sealed with on its way into that image; nothing when it stays plain. Errors:
  /// those of `Encryption::seal`.
  Result<std::optional<Seal>> seal(model::Image const& image) const;

  /// What data of that format makes of the image. Errors: `format_mismatch` when it is none that
  /// is taken, `iso_image` for one that was to be encrypted, `memory_or_disk_size` when the disk is
  /// larger than `min_disk`, or than any may be.
  Result<> adapt(ImportRequest const& request, formats::Accepted const& found,
                 model::Image& image) const;

  /// The job failed and the image is not whole, in a unit of work of the job: the image goes, or is
  /// queued again with the reason. The audit trail tells of it.
  Result<> give_up(store::Connection& connection, Batch const& batch, ImportRequest const& request,
                   Error const& why) const;

  /// As `give_up`, of an image that is made together with others, whatever it has come to: one that
  /// is whole is deleted.
  Result<> take_back(store::Connection& connection, Batch const& batch,
                     ImportRequest const& request, Error const& why) const;

private:
  Result<> check_made(store::Connection& connection, KeyStates& states, model::Caller const& caller,
                      model::Image const& draft, std::int64_t images) const;
  Result<> wait_for_data(store::Connection& connection, model::Caller const& caller,
                         ImageId const& id) const;

  Access const& access_;
  Images const& images_;
  Encryption const& encryption_;
  Uploads& uploads_;
  store::Buckets const& buckets_;
  Clock const& clock_;
};

} // namespace vitrine::service
