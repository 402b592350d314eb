#include "service/uploads.hpp"

#include "base/text.hpp"
#include "model/image_stores.hpp"
#include "service/blob_check.hpp"
#include "store/blobs/sealed.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/image_keys.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/running_uploads.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <unordered_map>
#include <utility>

namespace vitrine::service {
namespace {

// Blocks of all uploads that may wait to be hashed, unless each has but one: 16 MiB.
constexpr std::size_t kWaitingBlocksMax = 16;

// Looks at the twin of an upload: each further one means that another upload of the same bytes, or
// the sweeper, came in between.
constexpr int kLooksMax = 8;

Error too_large(std::int64_t size_bytes_max) {
  return error(Fault::too_large, fmt::format("The data is larger than {} bytes.", size_bytes_max));
}

Error differs_from_announced(std::int64_t announced, std::string_view found) {
  return error(Fault::invalid_value,
               fmt::format("The announced size is {} bytes, but {} were sent.", announced, found),
               "x-openstack-image-size");
}

bool asks_for_sha256(Announcement const& announced) {
  return std::ranges::find(announced.hashes, HashAlgorithm::sha256, &ExpectedHash::algorithm) !=
         announced.hashes.end();
}

std::string reason_of(Error const& failure) {
  return failure.detail.empty() ? std::string(text_of(failure.fault)) : failure.detail;
}

} // namespace

Result<bool> is_whole(store::Connection& connection, ImageId const& id) {
  auto const image = store::Images(connection).get(id);
  if (image) return !waits_for_data(*image);
  if (image.error().fault == Fault::image_not_found) return false;
  return Error(image.error());
}

Error deleted_meanwhile() {
  return error(Fault::image_not_found, "it was deleted while the job ran");
}

Result<> require_there(store::Connection& connection, ImageId const& id) {
  auto const image = store::Images(connection).get(id);
  if (image) return {};
  if (image.error().fault == Fault::image_not_found) return deleted_meanwhile();
  return Error(image.error());
}

Uploads::Uploads(store::Database& database, store::Blobs& blobs, Access const& access,
                 Clock const& clock, UploadOptions options)
    : database_(database), blobs_(blobs), access_(access), clock_(clock), options_(options),
      action_(access.action("upload_image")), digests_(options.digest_threads, kWaitingBlocksMax) {}

/// The image, if the caller may upload to it now.
Result<model::Image> Uploads::admit(store::Connection& connection, model::Caller const& caller,
                                    ImageId const& id, Announcement const& announced) const {
  auto found = TRY(store::Images(connection).get_for(id, caller));
  auto& image = found.image;
  TRY(access_.require(action_, caller, {image, found.membership}));
  if (image.status != model::ImageStatus::queued) {
    return error(Fault::wrong_status,
                 fmt::format("Image status transition from {} to saving is not allowed",
                             name_of(image.status)));
  }
  for (auto const& [name, is_missing] :
       {std::pair{"container_format", !image.container_format},
        std::pair{"disk_format", !image.disk_format && !options_.detects_disk_format}}) {
    if (!is_missing) continue;
    return error(Fault::invalid_value,
                 fmt::format("Property {} must be set prior to saving data.", name), name);
  }
  auto const size = announced.size_bytes;
  auto const length = announced.content_length;
  if (size && length && std::cmp_not_equal(*size, *length)) {
    return differs_from_announced(*size, fmt::format("{}", *length));
  }
  if ((length && std::cmp_greater(*length, options_.size_bytes_max)) ||
      size.value_or(0) > options_.size_bytes_max) {
    return too_large(options_.size_bytes_max);
  }
  return std::move(image);
}

Result<std::unique_ptr<Upload>> Uploads::begin(model::Caller const& caller, ImageId const& id,
                                               Announcement const& announced) {
  auto const blob = model::new_blob_id(announced.store.value_or(options_.store));
  auto started = database_.write([&](store::Connection& connection) -> Result<model::Image> {
    auto const before = TRY(admit(connection, caller, id, announced));
    auto after = before;
    after.status = model::ImageStatus::saving;
    after.upload_id = blob.text;
    after.upload_error.clear();
    after.updated_at = clock_.now();
    TRY(store::Images(connection).update(before, after));
    TRY(store::RunningUploads(connection).add(blob, options_.server, after.updated_at));
    return after;
  });
  if (!started) {
    if (started.error().fault == Fault::outcome_unknown) {
      tell_end_later(
          {id, blob, caller, error(Fault::unavailable, "The upload could not begin."), false});
    }
    return Error(std::move(started.error()));
  }
  auto writer = blobs_.create(blob, announced.content_length);
  bool const created = writer.has_value();
  std::unique_ptr<Upload> upload(new Upload(*this, caller, std::move(*started), announced,
                                            created ? std::move(*writer) : nullptr, std::nullopt));
  if (created) return upload;
  upload->abandon(writer.error());
  return Error(writer.error());
}

Result<> Uploads::announce(store::Connection& connection, model::Image& image,
                           std::optional<std::string_view> store) const {
  auto const now = clock_.now();
  if (!image.upload_id.empty()) {
    TRY(store::RunningUploads(connection).remove(BlobId{image.upload_id}));
  }
  image.status = model::ImageStatus::saving;
  image.upload_id = model::new_blob_id(store.value_or(options_.store)).text;
  image.upload_error.clear();
  image.updated_at = now;
  return store::RunningUploads(connection).add(BlobId{image.upload_id}, options_.server, now);
}

/// What was asked of others since may have taken so long that the upload was taken for dead.
Result<> Uploads::resume(store::Connection& connection, model::Image const& announced) const {
  auto const image = TRY(store::Images(connection).get(announced.id));
  if (image.upload_id != announced.upload_id) return error(Fault::image_gone);
  BlobId const blob{image.upload_id};
  store::RunningUploads running(connection);
  TRY(running.remove(blob));
  return running.add(blob, options_.server, clock_.now());
}

Result<std::unique_ptr<Upload>> Uploads::begin_announced(model::Caller const& caller,
                                                         model::Image const& image,
                                                         std::uint64_t size_bytes, JobData data) {
  BlobId const blob{image.upload_id};
  TRY(database_.write([&](store::Connection& connection) { return resume(connection, image); }));
  auto writer = blobs_.create(blob, data.seal ? store::sealed_size_bytes(size_bytes) : size_bytes);
  bool const created = writer.has_value();
  if (created && data.seal) *writer = store::seal(std::move(*writer), data.seal->data_key, blob);
  Announcement announced{.size_bytes = static_cast<std::int64_t>(size_bytes),
                         .content_length = {},
                         .hashes = std::move(data.hashes)};
  std::unique_ptr<Upload> upload(new Upload(*this, caller, image, std::move(announced),
                                            created ? std::move(*writer) : nullptr,
                                            std::move(data)));
  if (created) return upload;
  upload->abandon(writer.error());
  return Error(writer.error());
}

/// The image has no data again, and the reason can be read.
Result<> Uploads::queue_again(store::Connection& connection, model::Image const& before,
                              model::Caller const& caller, Error const& failure,
                              JobId const& job) const {
  auto after = before;
  after.status = model::ImageStatus::queued;
  after.size_bytes.reset();
  after.virtual_size_bytes.reset();
  after.checksum.reset();
  after.hash_value.reset();
  after.upload_id.clear();
  after.upload_error = reason_of(failure);
  after.updated_at = clock_.now();
  TRY(store::Images(connection).update(before, after));
  auto event = model::audit_event(model::audit::image_upload, after.updated_at, caller, after);
  event.failure = failure;
  event.job = job;
  return store::Audit(connection).record(event);
}

/// Images that wait for an upload that nobody stores are queued again. Who began them is not known.
Result<> Uploads::end_dead(store::Connection& connection) const {
  store::Images images(connection);
  auto const interrupted = TRY(images.interrupted_uploads());
  auto const stopped = error(Fault::unavailable, "The server stopped during the upload.");
  for (auto const& image : interrupted)
    TRY(queue_again(connection, image, model::Caller{}, stopped));
  return {};
}

Result<> Uploads::recover() {
  return database_.write([&](store::Connection& connection) -> Result<> {
    TRY(store::RunningUploads(connection).remove_of(options_.server));
    return end_dead(connection);
  });
}

Result<> Uploads::end(store::Connection& connection, Ended const& ended) const {
  TRY(store::RunningUploads(connection).remove(ended.upload));
  if (ended.left_bytes) {
    TRY(store::BlobIndex(connection).insert_unused(ended.upload, *ended.left_bytes, clock_.now()));
  }
  if (ended.leaves_image) return {};
  auto const found = store::Images(connection).get(ended.image);
  if (!found && found.error().fault == Fault::image_not_found) return {};
  auto const before = TRY(found);
  if (before.upload_id != ended.upload.text) return {};
  return queue_again(connection, before, ended.caller, ended.failure);
}

void Uploads::remove_later(BlobId const& blob, std::int64_t size_bytes) {
  // Where that fails, too, they are strays.
  [[maybe_unused]] auto const kept = database_.write([&](store::Connection& connection) {
    return store::BlobIndex(connection).insert_unused(blob, size_bytes, clock_.now());
  });
}

void Uploads::tell_end_later(Ended ended) {
  std::lock_guard const lock(untold_mutex_);
  untold_.push_back(std::move(ended));
}

Result<> Uploads::tell_ends() {
  std::vector<Ended> ended;
  {
    std::lock_guard const lock(untold_mutex_);
    ended.swap(untold_);
  }
  if (ended.empty()) return {};
  auto told = database_.write([&](store::Connection& connection) -> Result<> {
    for (auto const& each : ended)
      TRY(end(connection, each));
    return {};
  });
  if (!told) {
    std::lock_guard const lock(untold_mutex_);
    untold_.insert(untold_.end(), ended.begin(), ended.end());
  }
  return told;
}

Result<> Uploads::keep_alive() {
  auto done = touch_live();
  if (done) done = tell_ends();
  if (done) done = end_silent();
  if (!done) watch_.forget();
  return done;
}

Result<> Uploads::touch_live() {
  std::vector<BlobId> live;
  {
    std::lock_guard const lock(live_mutex_);
    live.assign(live_.begin(), live_.end());
  }
  if (live.empty()) return {};
  return database_.write([&](store::Connection& connection) {
    return store::RunningUploads(connection).touch(live, clock_.now());
  });
}

/// Who can read only sees nothing change, since nobody can change anything.
Result<> Uploads::prove_writes() {
  return database_.write([](store::Connection& connection) -> Result<> {
    TRY(connection.run(store::sql::write_probe, {""}));
    return {};
  });
}

Result<> Uploads::end_silent() {
  // Looks before it writes: there is hardly ever anything to end.
  bool interrupted = false;
  using Rows = std::vector<store::RunningUpload>;
  auto const look = [&](store::Connection& connection) -> Result<Rows> {
    interrupted = !TRY(store::Images(connection).interrupted_uploads()).empty();
    return store::RunningUploads(connection).all();
  };
  auto const running = TRY(database_.read(look));
  auto const silent = watch_.look(running);
  if (watch_.suspects()) TRY(prove_writes());
  if (silent.empty() && !interrupted) return {};
  return database_.write([&](store::Connection& connection) -> Result<> {
    TRY(store::RunningUploads(connection).remove_unchanged(silent));
    return end_dead(connection);
  });
}

/// The store is listed before the rows are read: an upload has a row before its first byte and
/// until the row of its blob is there, so what was listed and has neither is nobody's.
Result<std::int64_t> Uploads::remove_strays(store::Blobs& store, std::int64_t age_seconds) {
  auto const newest = clock_.now() + -age_seconds * kMicrosecondsPerSecond;
  // By the ids that stores have of them: what was moved to another store, by hand or by a changed
  // configuration, is somebody's all the same.
  std::unordered_map<BlobId, BlobId> strays;
  TRY(store.list([&](store::StoredBlob const& blob) {
    bool const old = age_seconds == 0 || blob.changed_at <= newest;
    if (old) strays.emplace(model::id_in_store(blob.id), blob.id);
  }));
  if (strays.empty()) return 0;
  auto const spare_known = [&](store::Connection& connection) -> Result<> {
    auto const blobs = TRY(store::BlobIndex(connection).all());
    for (auto const& blob : blobs)
      strays.erase(model::id_in_store(blob.id));
    auto const uploads = TRY(store::RunningUploads(connection).all());
    for (auto const& upload : uploads)
      strays.erase(model::id_in_store(upload.id));
    return {};
  };
  TRY(database_.read(spare_known));
  for (auto const& [in_store, id] : strays)
    TRY(store.remove(id));
  return std::ssize(strays);
}

Upload::Upload(Uploads& uploads, model::Caller caller, model::Image image, Announcement announced,
               std::unique_ptr<store::BlobWriter> writer, std::optional<JobData> of_job)
    : uploads_(uploads), caller_(std::move(caller)), image_(std::move(image)),
      announced_(std::move(announced)), of_job_(std::move(of_job)), blob_{image_.upload_id},
      writer_(std::move(writer)),
      digests_(
          uploads.digests_,
          [this](std::span<std::byte const> block) { return writer_->write(block); },
          asks_for_sha256(announced_)) {
  std::lock_guard const lock(uploads_.live_mutex_);
  uploads_.live_.insert(blob_);
}

Upload::~Upload() {
  if (open_) abandon(error(Fault::invalid_body, "The upload ended early."));
  std::lock_guard const lock(uploads_.live_mutex_);
  uploads_.live_.erase(blob_);
}

Block Upload::block() { return uploads_.blocks_.take(); }

Result<> Upload::write(Block block) {
  auto const bytes = block.bytes();
  size_bytes_ += static_cast<std::int64_t>(bytes.size());
  if (size_bytes_ > uploads_.options_.size_bytes_max) {
    return too_large(uploads_.options_.size_bytes_max);
  }
  if (announced_.size_bytes && size_bytes_ > *announced_.size_bytes) {
    return differs_from_announced(*announced_.size_bytes, "more");
  }
  inspector_.feed(bytes);
  auto const finding = inspector_.early();
  if (finding && (!recognised_early_ || finding->unsafe)) {
    recognised_early_ = true;
    TRY(formats::check(*finding, image_.disk_format.value_or(""),
                       image_.container_format.value_or(""), uploads_.options_.rules));
  }
  return digests_.add(std::move(block));
}

Result<> Upload::finish() {
  auto done = complete();
  if (done) {
    open_ = false;
  } else {
    abandon(done.error());
  }
  return done;
}

Result<> Upload::complete() {
  if (announced_.size_bytes && size_bytes_ != *announced_.size_bytes) {
    return differs_from_announced(*announced_.size_bytes, fmt::format("{}", size_bytes_));
  }
  auto const digests = digests_.finish();
  TRY(check_hashes(digests)); // first: data that was damaged on its way may look like anything
  auto const accepted = TRY(recognise());
  if (of_job_) {
    auto adapted = image_;
    TRY(of_job_->adapt(accepted, adapted));
  }
  return keep(digests, accepted);
}

Result<> Upload::check_hashes(Digests::Values const& found) const {
  for (auto const& expected : announced_.hashes) {
    auto const& value = expected.algorithm == HashAlgorithm::sha256 ? found.sha256 : found.sha512;
    if (value == expected.value) continue;
    auto failure = differs_from(expected, value);
    if (of_job_) failure.fault = Fault::object_unreadable;
    return failure;
  }
  return {};
}

/// What the bytes are. No bytes at all fit every declaration (contract: glance-v2 3.7, empty body).
Result<formats::Accepted> Upload::recognise() {
  if (size_bytes_ == 0) {
    return formats::Accepted{image_.disk_format.value_or("raw"), std::nullopt};
  }
  return formats::check(inspector_.finish(), image_.disk_format.value_or(""),
                        image_.container_format.value_or(""), uploads_.options_.rules);
}

/// Makes the image active: with the bytes that its store has already if they are the same and
/// whole, else with its own. Those heal whatever shares a twin that is not whole.
Result<> Upload::keep(Digests::Values const& digests, formats::Accepted const& accepted) {
  for (int look = 0; look < kLooksMax; ++look) {
    auto const twin = TRY(find_twin(digests));
    if (!twin.shares()) TRY(make_permanent());
    auto const activated = [&](store::Connection& connection) {
      return activate(connection, digests, accepted, twin);
    };
    auto const done = uploads_.database_.write(activated);
    // Then the bytes may be those of an active image; the sweeper will know.
    if (!done && done.error().fault == Fault::outcome_unknown) committed_ = false;
    if (!TRY(done)) continue;
    if (twin.shares() && !drop_bytes()) uploads_.remove_later(blob_, size_bytes_);
    if (twin.heals()) heal(*twin.blob);
    return {};
  }
  return error(Fault::unavailable);
}

Result<> Upload::make_permanent() {
  if (committed_) return {};
  TRY(writer_->commit());
  committed_ = true;
  writer_.reset();
  return {};
}

/// Bytes that are stored already, as the rows have them and as they lie in the store: a row alone
/// is no reason to throw good bytes away.
Result<Upload::Twin> Upload::find_twin(Digests::Values const& digests) const {
  using Found = std::optional<BlobId>;
  auto const find = [&](store::Connection& connection) -> Result<Found> {
    TRY(awaiting(connection));
    // Encrypted images share nothing: each has a key of its own.
    if (is_sealed()) return Found();
    return store::BlobIndex(connection).find(digests.sha512, size_bytes_, model::store_of(blob_));
  };
  auto const blob = TRY(uploads_.database_.read(find));
  if (!blob) return Twin{};
  auto const stored = TRY(stored_size_bytes(uploads_.blobs_, *blob));
  return Twin{blob, stored == size_bytes_};
}

/// The image, if it still waits for these bytes. Error: `image_gone`.
Result<model::Image> Upload::awaiting(store::Connection& connection) const {
  auto image = store::Images(connection).get(image_.id);
  if (!image && image.error().fault != Fault::image_not_found) return Error(image.error());
  if (!image || image->upload_id != blob_.text) return error(Fault::image_gone);
  return image;
}

/// The bytes have a row, and the image refers to it; false, and nothing done, when `twin` is not
/// what the rows say any more.
Result<bool> Upload::refer_to_bytes(store::Connection& connection, Digests::Values const& digests,
                                    Twin const& twin) const {
  auto const now = uploads_.clock_.now();
  store::BlobIndex index(connection);
  if (is_sealed()) {
    auto const size_bytes = store::sealed_size_bytes(static_cast<std::uint64_t>(size_bytes_));
    TRY(index.insert(blob_, static_cast<std::int64_t>(size_bytes), {}, now));
    TRY(store::ImageKeys(connection).add(image_.id, of_job_->seal->wrapped));
    return true;
  }
  auto const same = TRY(index.find(digests.sha512, size_bytes_, model::store_of(blob_)));
  if (same != twin.blob) return false;
  if (twin.shares()) {
    TRY(index.add_reference(*twin.blob));
  } else if (twin.heals()) {
    TRY(index.replace(*twin.blob, blob_, digests.sha512));
  } else {
    TRY(index.insert(blob_, size_bytes_, digests.sha512, now));
  }
  return true;
}

/// The final unit of work; false, and nothing done, when `twin` is not what the rows say any more.
/// Changes the data fields only: what else was changed during the upload stays (decision L7).
Result<bool> Upload::activate(store::Connection& connection, Digests::Values const& digests,
                              formats::Accepted const& accepted, Twin const& twin) const {
  auto const before = TRY(awaiting(connection));
  auto const now = uploads_.clock_.now();
  if (!TRY(refer_to_bytes(connection, digests, twin))) return false;

  auto after = before;
  after.status = model::ImageStatus::active;
  after.blob = twin.shares() ? *twin.blob : blob_;
  after.size_bytes = size_bytes_;
  after.checksum = digests.md5;
  after.hash_value = digests.sha512;
  after.disk_format = accepted.disk_format;
  if (accepted.virtual_size_bytes) {
    after.virtual_size_bytes = static_cast<std::int64_t>(*accepted.virtual_size_bytes);
  }
  if (!after.active_at) after.active_at = now;
  after.updated_at = now;
  after.upload_id.clear();
  after.upload_error.clear();
  if (of_job_) TRY(of_job_->adapt(accepted, after));
  TRY(store::Images(connection).update(before, after));
  // Without its row nothing held the bytes: the sweeper may have taken them for nobody's.
  if (!TRY(store::RunningUploads(connection).remove(blob_))) {
    return error(Fault::unavailable, "The server was taken for dead during the upload.");
  }
  auto event =
      model::audit_event(of_job_ ? of_job_->kind : model::audit::image_upload, now, caller_, after);
  if (of_job_) event.job = of_job_->job;
  TRY(store::Audit(connection).record(event));
  return true;
}

/// Tells of it, and removes what is left of the damaged bytes; else the sweeper does.
void Upload::heal(BlobId const& damaged) const {
  if (!uploads_.blobs_.remove(damaged)) uploads_.remove_later(damaged, size_bytes_);
  if (uploads_.options_.healed) uploads_.options_.healed({damaged, blob_, size_bytes_});
}

/// What fails here is made good later. A store that does not answer may have bytes of which nobody
/// was told, so they stay known; but not where they may be those of an active image.
void Upload::abandon(Error const& failure) {
  if (!std::exchange(open_, false)) return;
  bool const gone = drop_bytes();
  bool const unheard =
      failure.kind() == Kind::unavailable && failure.fault != Fault::outcome_unknown;
  Uploads::Ended ended{image_.id, blob_, caller_, failure, of_job_.has_value()};
  if (!gone || unheard) ended.left_bytes = size_bytes_;
  auto const told = uploads_.database_.write(
      [&](store::Connection& connection) { return uploads_.end(connection, ended); });
  if (!told) uploads_.tell_end_later(std::move(ended));
}

bool Upload::drop_bytes() {
  writer_.reset();
  return !std::exchange(committed_, false) || uploads_.blobs_.remove(blob_).has_value();
}

} // namespace vitrine::service
