// Images that are made from servers, volumes and backups (contract: ims-api 6.3.3 to 6.3.5, 6.6).
// Another service makes the image here, as the caller, and brings its data; the job that asked it
// to tells the image then what it is. The rules; the job asks them.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/image.hpp"
#include "service/access.hpp"
#include "service/batch.hpp"
#include "service/images.hpp"
#include "store/metadata/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::service {

/// What an image is made from. Stored as numbers: new ones come last.
enum class CaptureSource : std::uint8_t { server, volume, server_backup, backup, data_volume };

/// What is to be made.
struct CaptureRequest {
  CaptureSource source{CaptureSource::server};
  std::string id;     ///< of the server, volume or backup
  model::Image draft; ///< name, owner, tags, min_ram and properties of the image
};

/// What became known of the source.
struct CaptureFacts {
  std::int64_t disk_gib{0};           ///< 0 when unknown
  std::string parent;                 ///< the image that it was made from; empty when there is none
  std::string backup;                 ///< that the data is of; empty when of none
  std::string os_type{};              ///< of the server that it is a data disk of; empty: none
  std::vector<std::string> backups{}; ///< that were made with it, of all volumes of a server
};

/// Thread-safe.
class Captures {
public:
  explicit Captures(Images const& images) : images_(images) {}

  /// Could the image be made now, as one of `count`, inside a unit of work? Errors: those of
  /// `Images::check_new`, `backup_used`.
  Result<> check(store::Connection& connection, CaptureRequest const& request,
                 std::int64_t count = 1) const;
  /// The image that a service has made for the job under that name; nothing when none yet.
  static Result<std::optional<ImageId>> find(store::Connection& connection,
                                             CaptureRequest const& request, std::string_view name);
  /// Gives the image that a service has made its name and what else the caller asked for. Errors:
  /// `image_not_found` when it was deleted, `cloud_failed` when it is not the caller's,
  /// `name_taken`.
  Result<model::Image> adopt(store::Connection& connection, Batch const& batch,
                             CaptureRequest const& request, ImageId const& id) const;
  /// Its data is there: tells it what is known of it, and the audit trail. Errors as of `adopt`.
  Result<> finish(store::Connection& connection, Batch const& batch, CaptureRequest const& request,
                  ImageId const& id, CaptureFacts const& facts) const;
  /// Removes what was made for a job that failed; success when that is not there.
  static Result<> drop(store::Connection& connection, CaptureRequest const& request,
                       ImageId const& id, Time now);
  /// The backups that the job of an image made for it, as its attribute holds them; empty for any
  /// other image, also for one of a backup that was there before.
  static std::string backups_of(model::Image const& image);
  /// Whether an image of the project says that it was made from the backup. The lists of others are
  /// no matter: what a job made is in the list of its own image alone, which is never copied.
  static Result<bool> is_named(store::Connection& connection, ProjectId const& owner,
                               std::string_view backup);
  /// Tells the audit trail that the backups of an image, which is deleted, stay.
  static Result<> tell_backups_stay(store::Connection& connection, Batch const& batch,
                                    model::Image const& image, Error const& why);
  /// Tells the audit trail that the job failed.
  static Result<> tell_failure(store::Connection& connection, Batch const& batch,
                               CaptureRequest const& request, Error const& why);

private:
  Result<model::Image> made(store::Connection& connection, CaptureRequest const& request,
                            ImageId const& id) const;

  Images const& images_;
};

} // namespace vitrine::service
