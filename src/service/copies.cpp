#include "service/copies.hpp"

#include "service/sharing_rules.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/keys.hpp"

#include <fmt/format.h>

namespace vitrine::service {
namespace {

using model::MemberStatus;
using model::Visibility;

// An encrypted image is copied by who may use its key.
Result<> check_key(store::Connection& connection, model::Caller const& caller,
                   model::Image const& source) {
  auto const key = key_to_grant(source);
  if (!key) return {};
  store::Keys keys(connection);
  bool const own = source.owner == caller.project || caller.is_admin;
  if (!own && !TRY(keys.is_granted(*key, caller.project))) return error(Fault::encrypted_share);
  switch (TRY(keys.state(*key))) {
  case store::KeyState::missing: return error(Fault::key_missing);
  case store::KeyState::disabled: return error(Fault::key_disabled);
  case store::KeyState::enabled: break;
  }
  return {};
}

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
  set(properties, "__system__cmkid", {});
  set(properties, "enterprise_project_id", request.enterprise_project);
  set(properties, "__originalimagename", source.id.text);
  set(properties, "__data_origin", "image," + source.id.text);
  copy.set_properties(properties);
  return copy;
}

} // namespace

Copies::Copies(Access const& access, Images const& images, CopyOptions options)
    : access_(access), images_(images), options_(options),
      download_(access.action("download_image")) {}

Result<> Copies::check_source(model::Caller const& caller, Sight const& sight) const {
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
  if (source.size_bytes.value_or(0) > options_.size_bytes_max) {
    return error(Fault::image_too_large,
                 fmt::format("{} bytes, at most {}", *source.size_bytes, options_.size_bytes_max));
  }
  // A copy could be downloaded.
  return access_.require(download_, caller, sight);
}

Result<model::Image> Copies::prepare(store::Connection& connection, model::Caller const& caller,
                                     CopyRequest const& request) const {
  auto const found = TRY(store::Images(connection).get_for(request.source, caller));
  TRY(check_source(caller, {found.image, found.membership}));
  TRY(check_key(connection, caller, found.image));
  if (!request.key.empty()) return error(Fault::no_key_service, {}, "cmk_id");
  return copy_of(found.image, caller, request);
}

Result<> Copies::check(store::Connection& connection, model::Caller const& caller,
                       CopyRequest const& request) const {
  auto const copy = TRY(prepare(connection, caller, request));
  return images_.check_new(connection, copy);
}

Result<> Copies::make(store::Connection& connection, Batch const& batch,
                      CopyRequest const& request) const {
  auto copy = TRY(prepare(connection, batch.caller, request));
  copy.created_at = copy.updated_at = batch.now;
  copy.active_at = batch.now;
  TRY(store::BlobIndex(connection).add_reference(copy.blob));
  return images_.add(connection, batch, model::audit::image_copy, copy);
}

Result<> Copies::tell_failure(store::Connection& connection, Batch const& batch,
                              CopyRequest const& request, Error const& why) const {
  model::AuditEvent event{.kind = model::audit::image_copy,
                          .time = batch.now,
                          .caller = batch.caller,
                          .image = request.source,
                          .image_name = request.name,
                          .image_owner = batch.caller.project,
                          .job = batch.job,
                          .pairs = {},
                          .failure = why};
  return store::Audit(connection).record(event);
}

} // namespace vitrine::service
