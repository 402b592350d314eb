#include "service/imports.hpp"

#include "base/blocks.hpp"
#include "base/text.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/running_uploads.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

namespace vitrine::service {
namespace {

using model::ImageStatus;

constexpr std::uint64_t kGiB = 1ULL << 30U;

// As many GiB as the disk needs.
Result<> fit_disk(std::uint64_t size_bytes, model::Image& image) {
  constexpr auto kMost = static_cast<std::uint64_t>(limits::import_data_disk_gib);
  auto const needed = std::max<std::uint64_t>(1, size_bytes / kGiB + (size_bytes % kGiB != 0));
  if (needed > kMost) {
    return error(Fault::memory_or_disk_size,
                 fmt::format("the disk in the file has {} bytes, at most {} GiB are allowed",
                             size_bytes, kMost));
  }
  image.min_disk_gib = static_cast<std::int64_t>(needed);
  return {};
}

// Clients split it at the comma and need two parts (contract: ims-api 3.4). Another name stays as
// it is: they compare it with theirs.
std::string origin_of(model::ObjectUrl const& source) {
  auto const parts = text::split(source.object, ',');
  return fmt::format("file,{}:{}", source.bucket, fmt::join(parts, "%2C"));
}

Result<> check_key(store::Connection& connection, KeyStates& states, model::Caller const& caller,
                   model::Image const& draft) {
  auto const key = key_of(draft);
  return key ? Encryption::check_new(connection, states, caller, draft, *key) : Result<>();
}

} // namespace

std::optional<ExpectedHash> expected_hash(ImportRequest const& request) {
  if (request.expected_sha256.empty()) return std::nullopt;
  return ExpectedHash{HashAlgorithm::sha256, request.expected_sha256, kExpectedHashField};
}

Imports::Imports(Access const& access, Images const& images, Encryption const& encryption,
                 Uploads& uploads, store::Buckets const& buckets, Clock const& clock)
    : access_(access), images_(images), encryption_(encryption), uploads_(uploads),
      buckets_(buckets), clock_(clock) {}

Result<> Imports::take(store::Connection& connection, KeyStates& states,
                       model::Caller const& caller, ImportRequest const& request,
                       std::int64_t images) const {
  return request.registers ? wait_for_data(connection, caller, request.draft.id)
                           : check_made(connection, states, caller, request.draft, images);
}

std::optional<Error> Imports::unserved() const {
  return buckets_.is_configured() ? std::nullopt : std::optional(error(Fault::no_object_store));
}

Result<> Imports::check_made(store::Connection& connection, KeyStates& states,
                             model::Caller const& caller, model::Image const& draft,
                             std::int64_t images) const {
  TRY(check_key(connection, states, caller, draft));
  return images_.check_new(connection, draft, images);
}

/// A second job of the image is refused from now on.
Result<> Imports::wait_for_data(store::Connection& connection, model::Caller const& caller,
                                ImageId const& id) const {
  auto const found = TRY(store::Images(connection).get_for(id, caller));
  TRY(access_.require_owned(caller, {found.image, found.membership}));
  auto const& before = found.image;
  if (before.status != ImageStatus::queued) {
    return error(Fault::image_not_active,
                 fmt::format("its status is {}, not queued", name_of(before.status)));
  }
  auto after = before;
  after.status = ImageStatus::saving;
  after.upload_id = new_hex_id(); // of no upload yet: its job begins one
  after.upload_error.clear();
  after.updated_at = clock_.now();
  return store::Images(connection).update(before, after);
}

Result<model::Image> Imports::begin(store::Connection& connection, KeyStates& states,
                                    Batch const& batch, ImportRequest const& request,
                                    bool was_made) const {
  store::Images images(connection);
  auto const before = TRY(store::Images(connection).find(request.draft.id));
  if (before) {
    if (!waits_for_data(*before)) return *before;
    TRY(check_key(connection, states, batch.caller, request.draft));
    auto after = *before;
    if (!after.container_format) after.container_format = "bare";
    TRY(uploads_.announce(connection, after));
    TRY(images.update(*before, after));
    return after;
  }
  if (was_made || request.registers) return deleted_meanwhile();
  auto made = request.draft;
  made.created_at = batch.now;
  TRY(check_made(connection, states, batch.caller, made, 1));
  TRY(uploads_.announce(connection, made));
  TRY(images.insert(made));
  return made;
}

Result<> Imports::check_whole(store::BucketObject& object, ImportRequest const& request,
                              std::function<Result<>()> const& advance) {
  auto const expected = expected_hash(request);
  if (!expected) return {};
  Hash hash(expected->algorithm);
  BlockPool blocks;
  auto const room = [&] { return blocks.take(); };
  TRY(object.stream(0, object.info().size_bytes, room, [&](Block block) {
    hash.add(block.bytes());
    return advance();
  }));
  auto const found = hash.take_hex();
  if (found == expected->value) return {};
  auto failure = differs_from(*expected, found);
  failure.fault = Fault::object_unreadable;
  return failure;
}

Result<std::optional<Seal>> Imports::seal(model::Image const& image) const {
  auto const key = key_of(image);
  if (!key) return std::optional<Seal>();
  return TRY(encryption_.seal(image, *key));
}

Result<> Imports::adapt(ImportRequest const& request, formats::Accepted const& found,
                        model::Image& image) const {
  auto const& taken = request.formats;
  if (!taken.empty() && std::ranges::find(taken, found.disk_format) == taken.end()) {
    return error(Fault::format_mismatch, fmt::format("found {}, only {} can be imported here",
                                                     found.disk_format, fmt::join(taken, ", ")));
  }
  if (found.disk_format == "iso" && key_of(image)) {
    return error(Fault::iso_image, "an ISO image cannot be encrypted", "cmk_id");
  }
  auto const size_bytes = found.virtual_size_bytes.value_or(0);
  if (!request.registers && request.draft.min_disk_gib == 0) TRY(fit_disk(size_bytes, image));
  // A registered image need not say how large its disk may be.
  bool const any_size = request.registers && image.min_disk_gib == 0;
  if (!any_size && size_bytes > static_cast<std::uint64_t>(image.min_disk_gib) * kGiB) {
    return error(Fault::memory_or_disk_size,
                 fmt::format("the disk in the file has {} bytes, more than min_disk {} GiB",
                             size_bytes, image.min_disk_gib));
  }
  auto properties = image.properties();
  properties.insert_or_assign("__root_origin", "file");
  properties.insert_or_assign("__data_origin", origin_of(request.source));
  // Of the formats that a quick import takes, the one whose blocks can be read as they are needed.
  bool const quick = !taken.empty();
  if (quick && found.disk_format == "zvhd2") properties.insert_or_assign("__lazyloading", "true");
  image.set_properties(properties);
  return {};
}

Result<> Imports::take_back(store::Connection& connection, Batch const& batch,
                            ImportRequest const& request, Error const& why) const {
  auto const image = TRY(store::Images(connection).find(request.draft.id));
  if (!image || image->status == ImageStatus::saving) {
    return give_up(connection, batch, request, why);
  }
  TRY(store::Images(connection).remove(*image, batch.now));
  if (!image->blob.empty()) TRY(store::BlobIndex(connection).drop_reference(image->blob));
  auto event = model::audit_event(model::audit::image_delete, batch.now, batch.caller, *image);
  event.job = batch.job;
  return store::Audit(connection).record(event);
}

Result<> Imports::give_up(store::Connection& connection, Batch const& batch,
                          ImportRequest const& request, Error const& why) const {
  auto const image = TRY(store::Images(connection).find(request.draft.id));
  bool const waits = image && image->status == ImageStatus::saving;
  // Of an attempt that ended with its worker.
  if (waits) TRY(store::RunningUploads(connection).remove(BlobId{image->upload_id}));
  if (request.registers && waits) {
    return uploads_.queue_again(connection, *image, batch.caller, why, batch.job);
  }
  if (waits) TRY(store::Images(connection).remove(*image, batch.now));
  auto event = model::audit_event(request.registers ? model::audit::image_upload
                                                    : model::audit::image_create,
                                  batch.now, batch.caller, image.value_or(request.draft));
  event.job = batch.job;
  event.failure = why;
  return store::Audit(connection).record(event);
}

} // namespace vitrine::service
