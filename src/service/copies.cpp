#include "service/copies.hpp"

#include "model/image_stores.hpp"
#include "service/sharing_rules.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/image_keys.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/running_uploads.hpp"

#include <fmt/format.h>

namespace vitrine::service {
namespace {

using model::MemberStatus;
using model::Visibility;

void set(model::Properties& properties, std::string_view name, std::string_view value) {
  properties.erase(std::string(name));
  if (!value.empty()) properties.emplace(name, value);
}

// Everything that says what the data is goes with it; whose it is and who sees it does not
// (contract: ims-api D36).
model::Image copy_of(model::Image const& source, model::Caller const& caller,
                     CopyRequest const& request) {
  auto copy = source;
  copy.id = request.target;
  copy.name = request.name;
  copy.owner = caller.project;
  copy.visibility = Visibility::private_;
  copy.auto_shared = false;
  copy.is_protected = false;
  copy.hidden = false;
  copy.member_count = 0;
  copy.upload_error.clear();
  if (source.owner != caller.project) copy.set_tags({});
  auto properties = source.properties();
  set(properties, "__description", request.description);
  set(properties, kKeyProperty, request.key.empty() ? request.key : key_named(request.key));
  set(properties, "enterprise_project_id", request.enterprise_project);
  set(properties, "__originalimagename", source.id.text);
  set(properties, "__data_origin", "image," + source.id.text);
  copy.set_properties(properties);
  return copy;
}

// An encrypted image is copied by who may use its key.
Result<> check_key(store::Connection& connection, KeyStates& states, model::Caller const& caller,
                   model::Image const& source) {
  auto const usable = Encryption::check_use(connection, states, caller, source);
  if (usable || usable.error().fault != Fault::own_key_not_granted) return usable;
  bool const own = source.owner == caller.project;
  return error(own ? Fault::own_key_not_granted : Fault::encrypted_share);
}

} // namespace

Copies::Copies(Access const& access, Images const& images, Encryption const& encryption,
               Uploads& uploads, CopyOptions options)
    : access_(access), images_(images), encryption_(encryption), uploads_(uploads),
      options_(options), download_(access.action("download_image")) {}

Result<> Copies::check_source(model::Caller const& caller, Sight const& sight,
                              CopyRequest const& request) const {
  auto const& source = sight.image;
  TRY(access_.require_seen(caller, sight));
  bool const own = source.owner == caller.project || caller.is_admin;
  if (source.visibility == Visibility::public_ && !own) return error(Fault::public_of_others);
  if (!own && sight.membership && *sight.membership != MemberStatus::accepted) {
    return error(Fault::share_not_accepted);
  }
  if (source.status != model::ImageStatus::active) return error(Fault::image_not_active);
  if (is_full_server(source)) return error(Fault::full_server_not_copied);
  if (is_iso(source)) return error(Fault::iso_image);
  bool const carries_data = !request.key.empty() || key_of(source);
  if (carries_data && source.size_bytes.value_or(0) > options_.size_bytes_max) {
    return error(Fault::image_too_large, fmt::format("{} bytes, at most {} where a key is involved",
                                                     *source.size_bytes, options_.size_bytes_max));
  }
  // A copy could be downloaded.
  return access_.require(download_, caller, sight);
}

Result<Copies::Pair> Copies::prepare(store::Connection& connection, KeyStates& states,
                                     model::Caller const& caller,
                                     CopyRequest const& request) const {
  auto found = TRY(store::Images(connection).get_for(request.source, caller));
  auto& source = found.image;
  TRY(check_source(caller, {source, found.membership}, request));
  TRY(check_key(connection, states, caller, source));
  if (!request.key.empty()) {
    auto const key = key_named(request.key);
    bool const same_owner = key != kDefaultKey || source.owner == caller.project;
    if (same_owner && key_of(source) == key) return error(Fault::new_key_same, {}, "cmk_id");
    TRY(Encryption::check_new(connection, states, caller, source, key));
  }
  auto copy = copy_of(source, caller, request);
  return Pair{std::move(source), std::move(copy)};
}

Result<> Copies::check(store::Connection& connection, KeyStates& states,
                       model::Caller const& caller, CopyRequest const& request) const {
  auto const pair = TRY(prepare(connection, states, caller, request));
  return images_.check_new(connection, pair.copy);
}

Result<bool> Copies::carries_data(store::Connection& connection, CopyRequest const& request) {
  if (!request.key.empty()) return true;
  auto const key = TRY(store::ImageKeys(connection).find(request.source));
  return key.has_value();
}

Result<CopyWork> Copies::begin(store::Connection& connection, KeyStates& states, Batch const& batch,
                               CopyRequest const& request, bool was_made) const {
  store::Images images(connection);
  if (was_made) {
    auto made = TRY(images.get(request.target));
    if (!waits_for_data(made)) return CopyWork{std::move(made), {}, {}};
    auto pair = TRY(prepare(connection, states, batch.caller, request));
    auto const before = made;
    TRY(uploads_.announce(connection, made, model::store_of(pair.source.blob)));
    TRY(images.update(before, made));
    auto key = TRY(store::ImageKeys(connection).find(pair.source.id));
    return CopyWork{std::move(made), std::move(pair.source), std::move(key)};
  }
  auto [source, copy] = TRY(prepare(connection, states, batch.caller, request));
  copy.created_at = copy.updated_at = batch.now;
  auto key = TRY(store::ImageKeys(connection).find(source.id));
  if (request.key.empty() && !key) {
    copy.active_at = batch.now;
    TRY(store::BlobIndex(connection).add_reference(copy.blob));
    TRY(images_.add(connection, batch, model::audit::image_copy, copy));
    return CopyWork{std::move(copy), std::move(source), {}};
  }
  TRY(images_.check_new(connection, copy));
  copy.active_at.reset();
  copy.size_bytes.reset();
  copy.virtual_size_bytes.reset();
  copy.checksum.reset();
  copy.hash_value.reset();
  copy.blob = {};
  TRY(uploads_.announce(connection, copy, model::store_of(source.blob)));
  TRY(images.insert(copy));
  return CopyWork{std::move(copy), std::move(source), std::move(key)};
}

Result<std::unique_ptr<StoredBytes>> Copies::open_source(CopyWork const& work) const {
  return encryption_.open_whole(work.source, work.source_key);
}

Result<std::unique_ptr<Upload>> Copies::begin_data(Batch const& batch, CopyRequest const& request,
                                                   CopyWork const& work) const {
  JobData data{.job = batch.job,
               .kind = model::audit::image_copy,
               .adapt = [hash = work.source.hash_value](formats::Accepted const&,
                                                        model::Image& image) -> Result<> {
                 if (!image.hash_value || image.hash_value == hash) return {};
                 return error(Fault::internal, "The data of the source is damaged.");
               }};
  if (!request.key.empty()) data.seal = TRY(encryption_.seal(work.image, key_named(request.key)));
  auto const size_bytes = static_cast<std::uint64_t>(work.source.size_bytes.value_or(0));
  return uploads_.begin_announced(batch.caller, work.image, size_bytes, std::move(data));
}

Result<> Copies::give_up(store::Connection& connection, Batch const& batch,
                         CopyRequest const& request, Error const& why) const {
  store::Images images(connection);
  auto const made = images.get(request.target);
  if (!made && made.error().fault != Fault::image_not_found) return Error(made.error());
  if (made) {
    TRY(store::RunningUploads(connection).remove(BlobId{made->upload_id}));
    TRY(images.remove(*made, batch.now));
  }
  auto const source = images.get(request.source);
  if (!source && source.error().fault != Fault::image_not_found) return Error(source.error());
  model::Image gone;
  gone.id = request.source;
  auto event =
      model::audit_event(model::audit::image_copy, batch.now, batch.caller, source.value_or(gone));
  event.job = batch.job;
  event.failure = why;
  return store::Audit(connection).record(event);
}

} // namespace vitrine::service
