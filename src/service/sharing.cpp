#include "service/sharing.hpp"

#include "service/sharing_rules.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/key_grants.hpp"
#include "store/metadata/members.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::service {
namespace {

using model::Visibility;

Error member_not_found(ImageId const& image, ProjectId const& project) {
  return error(
      Fault::member_not_found,
      fmt::format("{} not found in the member list of the image {}.", project.text, image.text));
}

bool owns(model::Caller const& caller, model::Image const& image) {
  return caller.is_admin || image.owner == caller.project;
}

/// The row, if the caller may know of it.
Result<model::Member> member_for(store::Connection& connection, model::Caller const& caller,
                                 model::Image const& image, ProjectId const& project) {
  if (!owns(caller, image) && project != caller.project) {
    return member_not_found(image.id, project);
  }
  auto found = TRY(store::Members(connection).find(image.id, project));
  if (!found) return member_not_found(image.id, project);
  return std::move(*found);
}

Result<> record(store::Connection& connection, model::AuditKind const& kind, Time now,
                model::Caller const& caller, model::Image const& image, ProjectId const& project) {
  auto event = model::audit_event(kind, now, caller, image);
  event.pairs.push_back({project, std::nullopt});
  return store::Audit(connection).record(event);
}

} // namespace

Sharing::Sharing(store::Database& database, Access const& access, Quotas const& quotas,
                 Encryption const& encryption, model::ProjectDirectory& directory,
                 Clock const& clock, SharingOptions options)
    : database_(database), access_(access), quotas_(quotas), encryption_(encryption),
      directory_(directory), clock_(clock), options_(options),
      actions_{.add = access.action("add_member"),
               .list = access.action("get_members"),
               .get = access.action("get_member"),
               .answer = access.action("modify_member"),
               .remove = access.action("delete_member")} {}

Result<std::int64_t> Sharing::capacity(store::Connection& connection,
                                       model::Image const& image) const {
  auto const quota = TRY(quotas_.limit(connection, image.owner, quota::image_member));
  return member_capacity(image, quota);
}

Result<> Sharing::require_members_offered(model::Image const& image) const {
  if (image.visibility == Visibility::shared) return {};
  if (image.visibility == Visibility::private_ && options_.private_may_have_members) return {};
  return error(
      Fault::not_shareable,
      fmt::format("Only shared images have members; this image is {}.", name_of(image.visibility)));
}

Result<model::Member> Sharing::add(model::Caller const& caller, ImageId const& id,
                                   ProjectId const& project) {
  std::optional<model::Member> member;
  auto const run = [&](store::Database::Work const& unit) { return database_.write(unit); };
  auto const work = [&](store::Connection& connection, KeyStates& states) -> Result<> {
    member = TRY(add_one(connection, states, caller, id, project));
    return {};
  };
  TRY(encryption_.in_unit(run, work));
  return std::move(*member);
}

Result<model::Member> Sharing::add_one(store::Connection& connection, KeyStates& states,
                                       model::Caller const& caller, ImageId const& id,
                                       ProjectId const& project) const {
  auto const found = TRY(store::Images(connection).get_for(id, caller));
  auto const& image = found.image;
  TRY(access_.require(actions_.add, caller, {image, found.membership}));
  TRY(require_members_offered(image));
  if (project == image.owner) return error(Fault::share_with_self);
  auto const forbidden = TRY(forbids_sharing(states, image));
  if (forbidden) return error(Fault::not_shareable, std::string(text_of(*forbidden)));
  auto const key = key_of(image);
  if (key && !TRY(store::KeyGrants(connection).is_granted(*key, project))) {
    return error(Fault::not_shareable, std::string(text_of(Fault::key_not_granted)));
  }
  store::Members members(connection);
  if (TRY(members.find(id, project))) {
    return error(Fault::member_exists,
                 fmt::format("Member {} is duplicated for image {}", project.text, id.text));
  }
  if (image.member_count >= TRY(capacity(connection, image))) return error(Fault::member_limit);
  if (image.member_count == 0 && !TRY(quotas_.may_share_another(connection, image.owner))) {
    return error(Fault::sharing_quota);
  }
  auto const now = clock_.now();
  TRY(members.add(id, image.created_at, std::span(&project, 1), now));
  auto const after = after_adding(image);
  TRY(store::Images(connection).change_member_count(image, 1, after.visibility, after.auto_shared));
  TRY(record(connection, model::audit::member_create, now, caller, image, project));
  return model::Member{.image = id,
                       .project = project,
                       .status = model::MemberStatus::pending,
                       .created_at = now,
                       .updated_at = now};
}

Result<std::vector<model::Member>> Sharing::list(model::Caller const& caller, ImageId const& id) {
  return database_.read([&](store::Connection& connection) -> Result<std::vector<model::Member>> {
    auto const found = TRY(store::Images(connection).get_for(id, caller));
    Sight const sight{found.image, found.membership};
    TRY(access_.require_seen(caller, sight));
    TRY(require_members_offered(found.image));
    TRY(access_.require(actions_.list, caller, sight));
    auto members = TRY(store::Members(connection).of(id));
    if (!owns(caller, found.image)) {
      std::erase_if(members, [&](auto const& member) { return member.project != caller.project; });
    }
    return members;
  });
}

Result<model::Member> Sharing::get(model::Caller const& caller, ImageId const& id,
                                   ProjectId const& project) {
  return database_.read([&](store::Connection& connection) -> Result<model::Member> {
    auto const found = TRY(store::Images(connection).get_for(id, caller));
    Sight const sight{found.image, found.membership};
    TRY(access_.require_seen(caller, sight));
    if (!access_.allows(actions_.get, caller, sight)) return member_not_found(id, project);
    return member_for(connection, caller, found.image, project);
  });
}

Result<model::Member> Sharing::answer(model::Caller const& caller, ImageId const& id,
                                      ProjectId const& project, model::MemberStatus status) {
  return database_.write([&](store::Connection& connection) -> Result<model::Member> {
    auto const found = TRY(store::Images(connection).get_for(id, caller));
    Sight const sight{found.image, found.membership};
    TRY(access_.require_seen(caller, sight));
    auto member = TRY(member_for(connection, caller, found.image, project));
    TRY(access_.require(actions_.answer, caller, sight));
    if (is_full_server(found.image) && status == model::MemberStatus::accepted) {
      return error(Fault::vault_missing);
    }
    if (member.status == status) return member;
    member.status = status;
    member.updated_at = clock_.now();
    TRY(store::Members(connection)
            .set_status(id, std::span(&project, 1), status, member.updated_at));
    TRY(record(connection, model::audit::member_update, member.updated_at, caller, found.image,
               project));
    return member;
  });
}

Result<> Sharing::remove(model::Caller const& caller, ImageId const& id, ProjectId const& project) {
  return database_.write([&](store::Connection& connection) -> Result<> {
    auto const found = TRY(store::Images(connection).get_for(id, caller));
    auto const& image = found.image;
    TRY(access_.require(actions_.remove, caller, {image, found.membership}));
    if (image.visibility == Visibility::public_) return error(Fault::image_is_public);
    if (TRY(store::Members(connection).remove(id, std::span(&project, 1))) == 0) {
      return member_not_found(id, project);
    }
    auto const after = after_removing(image, 1);
    TRY(store::Images(connection)
            .change_member_count(image, -1, after.visibility, after.auto_shared));
    return record(connection, model::audit::member_delete, clock_.now(), caller, image, project);
  });
}

Result<std::vector<model::Member>> Sharing::visible_members(model::Caller const& caller,
                                                            ImageId const& id) {
  return database_.read([&](store::Connection& connection) -> Result<std::vector<model::Member>> {
    auto const found = TRY(store::Images(connection).get_for(id, caller));
    TRY(access_.require_seen(caller, {found.image, found.membership}));
    bool const owner = owns(caller, found.image);
    if (!owner && !found.membership) return error(Fault::image_not_found, id.text);
    auto members = TRY(store::Members(connection).of(id));
    if (!owner) {
      std::erase_if(members, [&](auto const& member) { return member.project != caller.project; });
    }
    return members;
  });
}

} // namespace vitrine::service
