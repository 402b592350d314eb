#include "service/captures.hpp"

#include "base/text.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/listing.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::service {
namespace {

constexpr std::int64_t kGiB = 1LL << 30;
constexpr std::string_view kExportForbidden = "export_forbidden";
// That the job made of a whole server, in the order of its disks. Users cannot set it.
constexpr std::string_view kBackups = "__backup_ids";

// What the services hand on from the image that the disk was made from, and is said of that image
// alone. The rest, such as its operating system, is true of the new one, too.
constexpr std::array<std::string_view, 9> kOfParent = {
    "__description", "__originalimagename",   "__data_origin",
    "__backup_id",   "__whole_image",         "__lazyloading",
    "max_ram",       "enterprise_project_id", kBackups};

Result<std::optional<ImageId>> image_of_backup(store::Connection& connection,
                                               ProjectId const& owner, std::string_view backup) {
  model::ImageListing listing;
  listing.sets.owned = model::ImageSets::Owned{owner, {}};
  listing.hidden = {false, true};
  listing.properties = {{"__backup_id", std::string(backup)}};
  listing.limit = 1;
  model::complete_order(listing.sort, true);
  auto const found = TRY(store::list_images(connection, listing));
  if (found.images.empty()) return std::nullopt;
  return found.images.front().id;
}

model::Image dressed(model::Image image, CaptureRequest const& request) {
  auto properties = image.properties();
  for (auto const name : kOfParent) {
    if (auto const at = properties.find(name); at != properties.end()) properties.erase(at);
  }
  for (auto const& [name, value] : request.draft.properties())
    properties.insert_or_assign(name, value);
  image.set_properties(properties);
  image.name = request.draft.name;
  image.min_ram_mib = request.draft.min_ram_mib;
  image.set_tags(request.draft.tags());
  return image;
}

std::string origin_of_backup(std::string_view backup) {
  return fmt::format("server_backup,{}", backup);
}

std::string origin_of(CaptureRequest const& request, CaptureFacts const& facts) {
  if (!facts.backup.empty()) return origin_of_backup(facts.backup);
  bool const of_server = request.source == CaptureSource::server;
  return (of_server ? "instance," : "volume,") + request.id;
}

std::int64_t gib_for(std::int64_t bytes) { return (bytes + kGiB - 1) / kGiB; }

} // namespace

Result<> Captures::check(store::Connection& connection, CaptureRequest const& request,
                         std::int64_t count) const {
  TRY(images_.check_new(connection, request.draft, count));
  if (request.source != CaptureSource::backup) return {};
  auto const used = TRY(image_of_backup(connection, request.draft.owner, request.id));
  return used ? Result<>(error(Fault::backup_used, "image " + used->text)) : Result<>();
}

Result<std::optional<ImageId>> Captures::find(store::Connection& connection,
                                              CaptureRequest const& request,
                                              std::string_view name) {
  return store::Images(connection).find_named(request.draft.owner, name);
}

Result<model::Image> Captures::made(store::Connection& connection, CaptureRequest const& request,
                                    ImageId const& id) const {
  auto const found = TRY(store::Images(connection).find(id));
  if (!found) {
    return error(Fault::image_not_found, "it was deleted while the job ran");
  }
  auto const& draft = request.draft;
  if (found->owner != draft.owner) {
    return error(Fault::cloud_failed, "the image that was made is not one of the project");
  }
  bool const renamed = found->name != draft.name;
  if (renamed && images_.options().unique_names &&
      TRY(store::Images(connection).is_name_taken(draft.owner, *draft.name))) {
    return error(Fault::name_taken);
  }
  return *found;
}

Result<model::Image> Captures::adopt(store::Connection& connection, Batch const& batch,
                                     CaptureRequest const& request, ImageId const& id) const {
  auto const before = TRY(made(connection, request, id));
  auto after = dressed(before, request);
  after.updated_at = batch.now;
  TRY(store::Images(connection).update(before, after));
  return after;
}

Result<> Captures::finish(store::Connection& connection, Batch const& batch,
                          CaptureRequest const& request, ImageId const& id,
                          CaptureFacts const& facts) const {
  auto const before = TRY(made(connection, request, id));
  auto after = dressed(before, request);
  auto const disk = gib_for(after.virtual_size_bytes.value_or(0));
  after.min_disk_gib = std::max(facts.disk_gib, disk);
  auto properties = after.properties();
  properties.insert_or_assign("__data_origin", origin_of(request, facts));
  if (!facts.parent.empty()) properties.insert_or_assign("__originalimagename", facts.parent);
  if (!facts.backup.empty()) properties.insert_or_assign("__backup_id", facts.backup);
  if (!facts.backups.empty()) {
    properties.insert_or_assign(std::string(kBackups),
                                fmt::format("{}", fmt::join(facts.backups, ",")));
  }
  if (!facts.os_type.empty()) {
    properties.insert_or_assign("__os_type", facts.os_type);
    properties.insert_or_assign(
        "__os_version",
        fmt::format("Other {}(64 bit)", facts.os_type == "Windows" ? "Windows" : "Linux"));
  }
  auto const parent = TRY(store::Images(connection).find({facts.parent}));
  if (parent &&
      text::equals_ignoring_case(parent->property(kExportForbidden).value_or(""), "true")) {
    properties.insert_or_assign(std::string(kExportForbidden), "true");
  }
  after.set_properties(properties);
  after.updated_at = batch.now;
  TRY(store::Images(connection).update(before, after));
  auto event = model::audit_event(model::audit::image_create, batch.now, batch.caller, after);
  event.job = batch.job;
  return store::Audit(connection).record(event);
}

Result<> Captures::drop(store::Connection& connection, CaptureRequest const& request,
                        ImageId const& id, Time now) {
  auto const image = TRY(store::Images(connection).find(id));
  if (!image || image->owner != request.draft.owner) return {};
  TRY(store::Images(connection).remove(*image, now));
  if (image->blob.empty()) return {};
  return store::BlobIndex(connection).drop_reference(image->blob);
}

std::string Captures::backups_of(model::Image const& image) {
  auto made = image.property(kBackups).value_or("");
  // Who wrote the attribute before it was reserved did not write that one.
  auto const origin = origin_of_backup(std::string_view(made).substr(0, made.find(',')));
  return !made.empty() && image.property("__data_origin") == origin ? made : std::string();
}

Result<bool> Captures::is_named(store::Connection& connection, ProjectId const& owner,
                                std::string_view backup) {
  return TRY(image_of_backup(connection, owner, backup)).has_value();
}

Result<> Captures::tell_backups_stay(store::Connection& connection, Batch const& batch,
                                     model::Image const& image, Error const& why) {
  auto event = model::audit_event(model::audit::image_delete, batch.now, batch.caller, image);
  event.job = batch.job;
  event.failure = why;
  return store::Audit(connection).record(event);
}

Result<> Captures::tell_failure(store::Connection& connection, Batch const& batch,
                                CaptureRequest const& request, Error const& why) {
  auto event =
      model::audit_event(model::audit::image_create, batch.now, batch.caller, request.draft);
  event.job = batch.job;
  event.failure = why;
  return store::Audit(connection).record(event);
}

} // namespace vitrine::service
