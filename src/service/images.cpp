#include "service/images.hpp"

#include "base/limits.hpp"
#include "service/sharing_rules.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/blob_index.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/listing.hpp"
#include "store/metadata/members.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace vitrine::service {
namespace {

// Rows of a further page, where the policy denied the whole of the one before.
constexpr std::int64_t kRowsReadOn = 1000;

Error wrong_transition(std::string_view verb, model::Image const& image) {
  return error(Fault::transition_forbidden,
               fmt::format("Not allowed to {} image in status '{}'", verb, name_of(image.status)));
}

// An owner is no member: it would take a place of the limit, and could not be removed by a share.
Result<> take_from_members(store::Connection& connection, model::Caller const& caller,
                           model::Image& image) {
  auto const removed = TRY(store::Members(connection).remove(image.id, std::span(&image.owner, 1)));
  if (removed == 0) return {};
  auto const state = after_removing(image, removed);
  TRY(store::Images(connection)
          .change_member_count(image, -removed, state.visibility, state.auto_shared));
  image.member_count -= removed;
  image.visibility = state.visibility;
  image.auto_shared = state.auto_shared;
  auto event = model::audit_event(model::audit::member_delete, image.updated_at, caller, image);
  event.pairs.push_back({image.owner, std::nullopt});
  return store::Audit(connection).record(event);
}

} // namespace

Images::Images(store::Database& database, Access const& access, Quotas const& quotas,
               Clock const& clock, ImagesOptions options)
    : database_(database), access_(access), quotas_(quotas), clock_(clock), options_(options),
      get_images_(access.action("get_images")), get_image_(access.action("get_image")),
      add_image_(access.action("add_image")), modify_image_(access.action("modify_image")),
      delete_image_(access.action("delete_image")), deactivate_(access.action("deactivate")),
      reactivate_(access.action("reactivate")), publicize_(access.action("publicize_image")),
      communitize_(access.action("communitize_image")) {}

Result<> Images::check_limits(model::Image const& before, model::Image const& after) const {
  auto const tags = after.tags().size();
  if (tags > options_.tag_max && tags > before.tags().size()) {
    return error(Fault::tag_limit,
                 fmt::format("The limit has been exceeded on the number of allowed "
                             "image tags. Attempted: {}, Maximum: {}",
                             tags, options_.tag_max));
  }
  auto const properties = after.properties().size();
  if (properties > options_.property_max && properties > before.properties().size()) {
    return error(
        Fault::property_limit,
        fmt::format("The limit has been exceeded on the number of allowed image properties. "
                    "Attempted: {}, Maximum: {}",
                    properties, options_.property_max));
  }
  auto const bytes = after.properties_json.size();
  if (bytes > limits::image_properties_bytes && bytes > before.properties_json.size()) {
    return error(
        Fault::property_limit,
        fmt::format("The limit has been exceeded on the size of the image properties in bytes. "
                    "Attempted: {}, Maximum: {}",
                    bytes, limits::image_properties_bytes));
  }
  return {};
}

Result<> Images::check_visibility(model::Caller const& caller, model::Image const& image) const {
  switch (image.visibility) {
  case model::Visibility::public_: return access_.require_making(publicize_, caller, image);
  case model::Visibility::community: return access_.require_making(communitize_, caller, image);
  case model::Visibility::shared:
  case model::Visibility::private_: break;
  }
  return {};
}

Result<> Images::check_name(store::Connection& connection, model::Image const& before,
                            model::Image const& after) const {
  if (!options_.unique_names || after.name.value_or("").empty()) return {};
  if (after.name == before.name && after.owner == before.owner) return {};
  if (!TRY(store::Images(connection).is_name_taken(after.owner, *after.name))) return {};
  return error(Fault::name_taken, "The project has an image with this name already.");
}

Result<model::Image> Images::create(model::Caller const& caller, model::Image image) {
  if (image.owner.empty()) image.owner = caller.project;
  if (image.id.empty()) image.id = ImageId{new_uuid()};
  if (image.owner != caller.project && !caller.is_admin) {
    return error(
        Fault::forbidden,
        fmt::format("You are not permitted to create images owned by '{}'.", image.owner.text));
  }
  TRY(access_.require_making(add_image_, caller, image));
  TRY(check_visibility(caller, image));
  TRY(check_limits(model::Image{}, image));
  image.created_at = image.updated_at = clock_.now();
  auto const stored = database_.write([&](store::Connection& connection) -> Result<> {
    TRY(check_name(connection, model::Image{}, image));
    if (options_.quota_applies) TRY(quotas_.require_room(connection, image.owner));
    TRY(store::Images(connection).insert(image));
    return store::Audit(connection)
        .record(model::audit_event(model::audit::image_create, image.created_at, caller, image));
  });
  if (!stored) return Error(stored.error());
  return image;
}

Result<> Images::check_new(store::Connection& connection, model::Image const& image,
                           std::int64_t count) const {
  TRY(check_limits(model::Image{}, image));
  TRY(check_name(connection, model::Image{}, image));
  return quotas_.require_room(connection, image.owner, count);
}

Result<> Images::add(store::Connection& connection, Batch const& batch,
                     model::AuditKind const& kind, model::Image const& image) const {
  TRY(check_new(connection, image));
  TRY(store::Images(connection).insert(image));
  auto event = model::audit_event(kind, batch.now, batch.caller, image);
  event.job = batch.job;
  return store::Audit(connection).record(event);
}

Result<store::ImageForCaller> Images::find(model::Caller const& caller, ImageId const& id) {
  return database_.read_single(
      [&](store::Connection& connection) { return store::Images(connection).get_for(id, caller); });
}

Result<model::Image> Images::show(model::Caller const& caller, ImageId const& id) {
  return seen(caller, find(caller, id));
}

bool Images::show_later(model::Caller const& caller, ImageId id,
                        std::function<void(Result<model::Image>)> done) {
  return database_.read_later(
      store::LaterRead::row,
      [&caller, id = std::move(id)](store::Connection& connection) {
        return store::Images(connection).get_for(id, caller);
      },
      [this, &caller, done = std::move(done)](Result<store::ImageForCaller> found) {
        done(seen(caller, std::move(found)));
      });
}

Result<model::Image> Images::seen(model::Caller const& caller,
                                  Result<store::ImageForCaller> found) const {
  if (!found) return Error(found.error());
  TRY(access_.require_seen(caller, {found->image, found->membership}));
  return std::move(found->image);
}

Result<model::Image> Images::show_for(policy::ActionId action, model::Caller const& caller,
                                      ImageId const& id) {
  auto found = TRY(find(caller, id));
  TRY(access_.require(action, caller, {found.image, found.membership}));
  return std::move(found.image);
}

Result<ImagePage> Images::list(model::Caller const& caller, model::ImageListing const& listing) {
  TRY(access_.require(get_images_, caller));
  return database_.read_single(
      [&](store::Connection& connection) { return page(connection, caller, listing); });
}

bool Images::list_later(model::Caller const& caller, model::ImageListing listing,
                        std::function<void(Result<ImagePage>)> done) {
  if (!access_.require(get_images_, caller)) return false;
  return database_.read_later(
      store::LaterRead::page,
      [this, &caller, listing = std::move(listing)](store::Connection& connection) {
        return page(connection, caller, listing);
      },
      std::move(done));
}

Result<ImagePage> Images::page(store::Connection& connection, model::Caller const& caller,
                               model::ImageListing asked) const {
  auto const limit = asked.limit;
  // The policy `get_image` judges every row.
  auto const denied = [&](model::Image const& image) -> Result<bool> {
    // What others share with the project is listed for it as a member.
    bool const foreign = image.owner != caller.project;
    bool const received =
        asked.sets.received && foreign && image.visibility == model::Visibility::shared;
    auto membership =
        received ? std::optional(asked.sets.received->statuses.front()) : std::nullopt;
    if (access_.allows(get_image_, caller, {image, membership})) return false;
    if (received || !foreign) return true;
    auto const member = TRY(store::Members(connection).find(image.id, caller.project));
    return !member || !access_.allows(get_image_, caller, {image, member->status});
  };
  while (true) {
    auto rows = TRY(store::list_images(connection, asked));
    std::vector<model::Image> allowed;
    for (auto& image : rows.images) {
      if (!TRY(denied(image))) allowed.push_back(std::move(image));
    }
    rows.images = std::move(allowed);
    bool const cut = std::cmp_greater(rows.images.size(), limit);
    if (cut) rows.images.resize(static_cast<std::size_t>(limit));
    if (!rows.images.empty() || !rows.last) {
      return ImagePage{std::move(rows.images), cut || rows.last};
    }
    // An empty page would read as the end of the list.
    asked.after = std::move(rows.last);
    asked.limit = std::max(asked.limit, kRowsReadOn);
  }
}

Result<model::Image> Images::modify(model::Caller const& caller, ImageId const& id, May const& may,
                                    model::AuditKind kind, Change const& change) {
  return database_.write([&](store::Connection& connection) -> Result<model::Image> {
    store::Images images(connection);
    auto found = TRY(images.get_for(id, caller));
    TRY(may(Sight{found.image, found.membership}));
    auto after = found.image;
    TRY(change(after));
    if (after.visibility != found.image.visibility) TRY(check_visibility(caller, after));
    TRY(check_limits(found.image, after));
    TRY(check_name(connection, found.image, after));
    if (after == found.image) return after;
    after.updated_at = clock_.now();
    TRY(images.update(found.image, after));
    TRY(store::Audit(connection).record(model::audit_event(kind, after.updated_at, caller, after)));
    if (after.owner != found.image.owner) TRY(take_from_members(connection, caller, after));
    return after;
  });
}

Result<model::Image> Images::modify(model::Caller const& caller, ImageId const& id,
                                    policy::ActionId action, model::AuditKind kind,
                                    Change const& change) {
  auto const may = [&](Sight const& sight) { return access_.require(action, caller, sight); };
  return modify(caller, id, may, kind, change);
}

Result<model::Image> Images::change_owned(model::Caller const& caller, ImageId const& id,
                                          model::AuditKind const& kind, Change const& change) {
  auto const may = [&](Sight const& sight) { return access_.require_owned(caller, sight); };
  return modify(caller, id, may, kind, change);
}

Result<model::Image> Images::change(model::Caller const& caller, ImageId const& id,
                                    Change const& change) {
  return modify(caller, id, modify_image_, model::audit::image_update, change);
}

Result<> Images::remove(model::Caller const& caller, ImageId const& id, Removed const& also) {
  return database_.write([&](store::Connection& connection) -> Result<> {
    store::Images images(connection);
    auto const found = TRY(images.get_for(id, caller));
    auto const& image = found.image;
    TRY(access_.require(delete_image_, caller, Sight{image, found.membership}));
    if (image.is_protected) {
      return error(Fault::image_protected,
                   fmt::format("Image {} is protected and cannot be deleted.", image.id.text));
    }
    auto const now = clock_.now();
    TRY(images.remove(image, now));
    if (!image.blob.empty()) TRY(store::BlobIndex(connection).drop_reference(image.blob));
    if (also) TRY(also(connection, image));
    return store::Audit(connection)
        .record(model::audit_event(model::audit::image_delete, now, caller, image));
  });
}

Result<> Images::deactivate(model::Caller const& caller, ImageId const& id) {
  TRY(modify(caller, id, deactivate_, model::audit::image_update,
             [&](model::Image& image) -> Result<> {
               if (image.status == model::ImageStatus::deactivated) {
                 image.deactivated_by_admin = image.deactivated_by_admin || caller.is_admin;
                 return {};
               }
               if (image.status != model::ImageStatus::active)
                 return wrong_transition("deactivate", image);
               image.status = model::ImageStatus::deactivated;
               image.deactivated_by_admin = caller.is_admin;
               return {};
             }));
  return {};
}

Result<> Images::reactivate(model::Caller const& caller, ImageId const& id) {
  TRY(modify(caller, id, reactivate_, model::audit::image_update,
             [&](model::Image& image) -> Result<> {
               if (image.status == model::ImageStatus::active) return {};
               if (image.status != model::ImageStatus::deactivated)
                 return wrong_transition("reactivate", image);
               if (image.deactivated_by_admin && !caller.is_admin) {
                 return error(Fault::forbidden, "The image was deactivated by an administrator.");
               }
               image.status = model::ImageStatus::active;
               image.deactivated_by_admin = false;
               return {};
             }));
  return {};
}

Result<> Images::add_tag(model::Caller const& caller, ImageId const& id, std::string const& tag) {
  TRY(modify(caller, id, modify_image_, model::audit::tag_create,
             [&](model::Image& image) -> Result<> {
               auto tags = image.tags();
               if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(tag);
               image.set_tags(tags);
               return {};
             }));
  return {};
}

Result<> Images::remove_tag(model::Caller const& caller, ImageId const& id,
                            std::string const& tag) {
  TRY(modify(caller, id, modify_image_, model::audit::tag_delete,
             [&](model::Image& image) -> Result<> {
               auto tags = image.tags();
               if (std::erase(tags, tag) == 0)
                 return error(Fault::tag_not_found, "The tag does not exist.");
               image.set_tags(tags);
               return {};
             }));
  return {};
}

} // namespace vitrine::service
