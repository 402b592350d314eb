// Image data on its way in: from `queued` to `active`, or back to `queued` with a reason and
// without a byte left.
#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "formats/inspector.hpp"
#include "model/audit.hpp"
#include "model/caller.hpp"
#include "model/image.hpp"
#include "service/access.hpp"
#include "service/digests.hpp"
#include "service/encryption.hpp"
#include "service/expected_hash.hpp"
#include "service/upload_watch.hpp"
#include "store/blobs/blobs.hpp"
#include "store/metadata/database.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace vitrine::service {

/// Damaged data of images, in whose place are the equal bytes of an upload now.
struct HealedData {
  BlobId damaged;
  BlobId blob;
  std::int64_t size_bytes;
};

struct UploadOptions {
  std::int64_t size_bytes_max{limits::image_size_bytes};
  bool detects_disk_format{true}; ///< an image without a disk_format takes the one of its bytes
  formats::Rules rules{};
  unsigned digest_threads{2};
  std::string server{}; ///< names the process among those that share the database, over restarts
  std::string store{};  ///< key of the one for data whose upload names none
  std::function<void(HealedData const&)> healed{}; ///< told from any thread
};

/// What a client tells of the data before it sends it.
struct Announcement {
  std::optional<std::int64_t> size_bytes;      ///< x-openstack-image-size
  std::optional<std::uint64_t> content_length; ///< absent when the length is open
  std::optional<std::string> store{};          ///< key of the one that it asks for
  std::vector<ExpectedHash> hashes{};          ///< that the data must have, all of them
};

/// Data that a job brings, into an image that waits for it as `Uploads::announce` says.
struct JobData {
  JobId job;
  model::AuditKind kind; ///< of the event of success
  /// Refuses what was found, or sets what the image takes from it. Called for a copy first, and
  /// then within the unit of work that makes the image active.
  std::function<Result<>(formats::Accepted const&, model::Image&)> adapt;
  std::optional<Seal> seal{};         ///< the data is encrypted with it on its way
  std::vector<ExpectedHash> hashes{}; ///< that the data must have before that, all of them
};

/// Whether a job has still to bring the data of its image: of what has become anything else an
/// earlier attempt has brought it, also when somebody has changed its status since.
constexpr bool waits_for_data(model::Image const& image) {
  return image.status == model::ImageStatus::saving || image.status == model::ImageStatus::queued;
}

/// Whether the image is there and a job has brought its data, in a unit of work.
Result<bool> is_whole(store::Connection& connection, ImageId const& id);

/// Why a job fails whose image somebody deleted before the job ended (contract: ims-api 4.3).
Error deleted_meanwhile();
/// Whether the image of a job is there, in a unit of work. Error: that one when it is not.
Result<> require_there(store::Connection& connection, ImageId const& id);

class Upload;

/// Thread-safe. Uploads must end before it does.
class Uploads {
public:
  Uploads(store::Database& database, store::Blobs& blobs, Access const& access, Clock const& clock,
          UploadOptions options);

  /// The most that an image may have.
  [[nodiscard]] std::int64_t size_bytes_max() const noexcept { return options_.size_bytes_max; }

  /// Takes a queued image to `saving`. Errors, which change nothing: `image_not_found`,
  /// `forbidden`, `wrong_status`, `invalid_value` (a format that is not set, sizes that
  /// contradict), `too_large`; also `store_full` and `unavailable`, after which the image is
  /// queued.
  Result<std::unique_ptr<Upload>> begin(model::Caller const& caller, ImageId const& image,
                                        Announcement const& announced);

  /// For a job, in a unit of work that also stores `image`: it waits for an upload from now on, to
  /// the store with that key, else to the one for data that names none. What an earlier attempt
  /// still uploads is refused at its end (`image_gone`).
  Result<> announce(store::Connection& connection, model::Image& image,
                    std::optional<std::string_view> store = {}) const;
  /// The upload to an image that was announced, once that is committed. When it fails the image
  /// stays as it is: how it ends is the job's to say. Errors: `store_full`, `unavailable`.
  Result<std::unique_ptr<Upload>> begin_announced(model::Caller const& caller,
                                                  model::Image const& image,
                                                  std::uint64_t size_bytes, JobData data);
  /// Queues an image again whose job failed, in a unit of work; its owner can read the reason, and
  /// the audit trail tells of it.
  Result<> queue_again(store::Connection& connection, model::Image const& before,
                       model::Caller const& caller, Error const& failure,
                       JobId const& job = {}) const;

  /// At start, before the first upload: returns the images whose upload was cut by the end of this
  /// server's process to `queued`.
  Result<> recover();
  /// To be called every `kTouchSeconds`, by one thread: shows the other servers that the uploads of
  /// this one go on, tells the database of those that ended while it did not answer, and ends those
  /// that nobody has shown to go on while `UploadWatch::kLooksMax` calls looked.
  Result<> keep_alive();
  /// Removes bytes in a store that belong to no image and no upload under way on any server, once
  /// they are `age_seconds` old; of any age when that is 0. Bytes whose rows say that they lie in
  /// another store stay. Returns how many blobs went.
  Result<std::int64_t> remove_strays(store::Blobs& store, std::int64_t age_seconds);

  static constexpr std::int64_t kTouchSeconds = 10;

private:
  friend class Upload;

  /// An upload that ended without making its image active.
  struct Ended {
    ImageId image;
    BlobId upload;
    model::Caller caller;
    Error failure;
    bool leaves_image; ///< to the job that began it
    /// How many they are, where the store may still have bytes of it.
    std::optional<std::int64_t> left_bytes{};
  };

  /// Queues the image again, unless it waits for another upload by now.
  Result<> end(store::Connection& connection, Ended const& ended) const;
  /// Keeps bytes known that the store did not remove, so that the sweeper tries again.
  void remove_later(BlobId const& blob, std::int64_t size_bytes);
  void tell_end_later(Ended ended);
  Result<> tell_ends();
  Result<> touch_live();
  Result<> end_silent();
  Result<> prove_writes();
  Result<> resume(store::Connection& connection, model::Image const& announced) const;
  Result<> end_dead(store::Connection& connection) const;
  Result<model::Image> admit(store::Connection& connection, model::Caller const& caller,
                             ImageId const& id, Announcement const& announced) const;

  store::Database& database_;
  store::Blobs& blobs_;
  Access const& access_;
  Clock const& clock_;
  UploadOptions const options_;
  policy::ActionId const action_;
  BlockPool blocks_;
  DigestPool digests_;
  UploadWatch watch_; ///< of `keep_alive`
  std::mutex live_mutex_;
  /// Whose rows are kept: not all of this server, for one may be of an upload that it knows nothing
  /// of, whose begin was committed after the answer had been waited for too long.
  std::unordered_set<BlobId> live_;
  std::mutex untold_mutex_;
  std::vector<Ended> untold_; ///< ended here while the database could not be told
};

/// One upload. Not thread-safe. Destroyed without `finish` or `abandon`, it abandons itself.
class Upload {
public:
  ~Upload();
  Upload(Upload const&) = delete;
  Upload& operator=(Upload const&) = delete;

  /// Memory for bytes to come. Never waits.
  Block block();
  /// Takes the next bytes. All blocks but the last should be full. May wait for the disk or the
  /// digests. After an error only `abandon` makes sense. Errors: `invalid_value` (more than
  /// announced), `too_large`, `format_mismatch`, `format_unsafe`, `store_full`, `unavailable`.
  Result<> write(Block block);

  /// All bytes are here: makes them permanent, then the image active. On an error the image is
  /// queued again with the reason, but `outcome_unknown`: then it may be active. Errors:
  /// `invalid_value` (fewer than announced, or another hash than is expected; that is
  /// `object_unreadable` in a job), `format_mismatch`, `format_unsafe`, `image_gone` when the image
  /// was deleted meanwhile, `store_full`, `unavailable`.
  Result<> finish();

  /// Removes what was stored; the image is queued again, its owner can read the reason, and the
  /// audit trail tells of it.
  void abandon(Error const& failure);

private:
  friend class Uploads;
  /// The blob of which the rows say that its bytes are those of the upload, if there is one.
  struct Twin {
    std::optional<BlobId> blob;
    bool is_whole{false}; ///< the store has all its bytes

    /// The image takes the bytes of the twin, else its own.
    [[nodiscard]] bool shares() const { return blob && is_whole; }
    /// The bytes of the upload take the place of those of the twin.
    [[nodiscard]] bool heals() const { return blob && !is_whole; }
  };

  Upload(Uploads& uploads, model::Caller caller, model::Image image, Announcement announced,
         std::unique_ptr<store::BlobWriter> writer, std::optional<JobData> of_job);

  Result<> complete();
  [[nodiscard]] Result<> check_hashes(Digests::Values const& found) const;
  Result<formats::Accepted> recognise();
  Result<> keep(Digests::Values const& digests, formats::Accepted const& accepted);
  [[nodiscard]] bool is_sealed() const { return of_job_ && of_job_->seal; }
  Result<> make_permanent();
  Result<Twin> find_twin(Digests::Values const& digests) const;
  Result<model::Image> awaiting(store::Connection& connection) const;
  Result<bool> refer_to_bytes(store::Connection& connection, Digests::Values const& digests,
                              Twin const& twin) const;
  Result<bool> activate(store::Connection& connection, Digests::Values const& digests,
                        formats::Accepted const& accepted, Twin const& twin) const;
  void heal(BlobId const& damaged) const;
  /// False when the store may still have bytes.
  bool drop_bytes();

  Uploads& uploads_;
  model::Caller const caller_;
  model::Image const image_; ///< as it was when the upload began
  Announcement const announced_;
  std::optional<JobData> const of_job_;
  BlobId const blob_;
  std::unique_ptr<store::BlobWriter> writer_; ///< none once the bytes are permanent or dropped
  formats::Inspector inspector_;
  Digests digests_;
  std::int64_t size_bytes_{0};
  bool recognised_early_{false};
  bool committed_{false}; ///< permanent, and nobody else's for sure
  bool open_{true};       ///< the image waits for these bytes
};

} // namespace vitrine::service
