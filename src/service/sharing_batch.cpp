// Bulk sharing: one image with many projects, set-based, inside the unit of work of a job.
#include "service/sharing.hpp"
#include "service/sharing_rules.hpp"
#include "store/metadata/audit.hpp"
#include "store/metadata/images.hpp"
#include "store/metadata/key_grants.hpp"
#include "store/metadata/members.hpp"

#include <algorithm>
#include <unordered_map>

namespace vitrine::service {
namespace {

using model::MemberStatus;
using model::Visibility;

using Rows = std::unordered_map<std::string, MemberStatus>;

/// The image as the caller of a batch meets it; nothing when there is none for it.
Result<std::optional<model::Image>> look_up(Access const& access, store::Connection& connection,
                                            ImageId const& id, model::Caller const& caller) {
  auto found = store::Images(connection).get_for(id, caller);
  if (!found && found.error().fault != Fault::image_not_found) return Error(found.error());
  if (!found || !access.require_seen(caller, {found->image, found->membership})) {
    return std::optional<model::Image>();
  }
  return std::optional(std::move(found->image));
}

PairFailures all_fail(std::size_t count, Fault fault) {
  PairFailures failures;
  failures.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    failures.push_back({i, fault});
  return failures;
}

Result<Rows> rows_of(store::Connection& connection, model::Image const& image) {
  Rows rows;
  if (image.member_count == 0) return rows;
  for (auto& member : TRY(store::Members(connection).of(image.id))) {
    rows.emplace(std::move(member.project.text), member.status);
  }
  return rows;
}

// One event for each pair, written as one row. Of an image that the caller cannot see it tells no
// more than the id the caller sent.
Result<> record(store::Connection& connection, Batch const& batch, model::AuditKind const& kind,
                ImageId const& id, std::optional<model::Image> const& image,
                std::span<ProjectId const> projects, PairFailures const& failures) {
  model::AuditEvent event{.kind = kind,
                          .time = batch.now,
                          .caller = batch.caller,
                          .image = id,
                          .image_name = image ? image->name.value_or("") : "",
                          .image_owner = image ? image->owner : ProjectId{},
                          .job = batch.job,
                          .pairs = {}};
  event.pairs.reserve(projects.size());
  for (auto const& project : projects)
    event.pairs.push_back({project, std::nullopt});
  for (auto const& failure : failures)
    event.pairs[failure.index].failure = error(failure.fault);
  return store::Audit(connection).record(event);
}

/// Who may change the members of an image; the first conditions of the contract (ims-api 5.1, 5.2).
std::optional<Fault> forbids_owner_act(model::Caller const& caller,
                                       std::optional<model::Image> const& image) {
  if (!image) return Fault::image_not_found;
  if (image->visibility == Visibility::public_) return Fault::image_is_public;
  if (!caller.is_admin && image->owner != caller.project) return Fault::not_image_owner;
  return std::nullopt;
}

} // namespace

Result<> Sharing::require_some_visible(model::Caller const& caller,
                                       std::span<ImageId const> images) {
  return database_.read([&](store::Connection& connection) -> Result<> {
    for (auto const& id : images) {
      // The row is read only where it is in sight: how long that takes would tell a stranger of it.
      if (!TRY(store::Images(connection).is_visible(id, caller))) continue;
      if (TRY(look_up(access_, connection, id, caller))) return {};
    }
    return error(Fault::image_not_found, images.empty() ? "" : images.front().text);
  });
}

/// The pairs of one image that get past the conditions of the image itself.
class Sharing::Adding {
public:
  Adding(Sharing const& sharing, store::Connection& connection, Batch const& batch,
         model::Image const& image)
      : sharing_(sharing), connection_(connection), batch_(batch), image_(image) {}

  Result<PairFailures> run(std::span<ProjectId const> projects, ProjectFaults const& checked) {
    rows_ = TRY(rows_of(connection_, image_));
    capacity_ = TRY(sharing_.capacity(connection_, image_));
    key_ = key_of(image_);
    PairFailures failures;
    for (std::size_t i = 0; i < projects.size(); ++i) {
      if (auto const fault = TRY(judge(projects[i], checked[i]))) failures.push_back({i, *fault});
    }
    store::Members members(connection_);
    TRY(members.set_status(image_.id, asked_again_, MemberStatus::pending, batch_.now));
    auto const added = TRY(members.add(image_.id, image_.created_at, new_, batch_.now));
    // Members that a private image kept are members again: a share that succeeded gives access.
    bool const shares = failures.size() < projects.size();
    if (added > 0 || (shares && image_.visibility == Visibility::private_)) {
      auto const after = after_adding(image_);
      TRY(store::Images(connection_)
              .change_member_count(image_, added, after.visibility, after.auto_shared));
    }
    return failures;
  }

private:
  Result<std::optional<Fault>> judge(ProjectId const& project, std::optional<Fault> checked) {
    using Why = std::optional<Fault>;
    if (key_ && !TRY(store::KeyGrants(connection_).is_granted(*key_, project))) {
      return Why(Fault::key_not_granted);
    }
    if (project == image_.owner) return Why(Fault::share_with_self);
    if (checked) return checked;
    if (auto const row = rows_.find(project.text); row != rows_.end()) {
      if (row->second == MemberStatus::rejected) asked_again_.push_back(project);
      return Why();
    }
    auto const count = image_.member_count + std::ssize(new_);
    if (count >= capacity_) return Why(Fault::member_limit);
    if (count == 0 && !TRY(may_share_another())) return Why(Fault::sharing_quota);
    new_.push_back(project);
    return Why();
  }

  Result<bool> may_share_another() {
    if (!may_share_) {
      may_share_ = TRY(sharing_.quotas_.may_share_another(connection_, image_.owner));
    }
    return *may_share_;
  }

  Sharing const& sharing_;
  store::Connection& connection_;
  Batch const& batch_;
  model::Image const& image_;
  Rows rows_;
  std::optional<std::string> key_;
  std::optional<bool> may_share_;
  std::int64_t capacity_{0};
  std::vector<ProjectId> new_;
  std::vector<ProjectId> asked_again_; ///< rejected it before
};

Result<PairFailures> Sharing::add_all(store::Connection& connection, KeyStates& states,
                                      Batch const& batch, ImageId const& id,
                                      std::span<ProjectId const> projects,
                                      ProjectFaults const& checked) {
  auto const image = TRY(look_up(access_, connection, id, batch.caller));
  auto fault = forbids_owner_act(batch.caller, image);
  if (!fault && image->status != model::ImageStatus::active) fault = Fault::image_not_active;
  if (!fault) fault = TRY(forbids_sharing(states, *image));
  auto failures = fault ? all_fail(projects.size(), *fault)
                        : TRY(Adding(*this, connection, batch, *image).run(projects, checked));
  TRY(record(connection, batch, model::audit::member_create, id, image, projects, failures));
  return failures;
}

Result<PairFailures> Sharing::remove_all(store::Connection& connection, Batch const& batch,
                                         ImageId const& id, std::span<ProjectId const> projects) {
  auto const image = TRY(look_up(access_, connection, id, batch.caller));
  auto const fault = forbids_owner_act(batch.caller, image);
  PairFailures failures;
  if (fault) {
    failures = all_fail(projects.size(), *fault);
  } else if (image->member_count > 0) {
    auto const removed = TRY(store::Members(connection).remove(id, projects));
    if (removed > 0) {
      auto const after = after_removing(*image, removed);
      TRY(store::Images(connection)
              .change_member_count(*image, -removed, after.visibility, after.auto_shared));
    }
  }
  TRY(record(connection, batch, model::audit::member_delete, id, image, projects, failures));
  return failures;
}

Result<PairFailures> Sharing::answer_all(store::Connection& connection, Batch const& batch,
                                         ImageId const& id, std::span<ProjectId const> projects,
                                         MemberStatus status) {
  auto const image = TRY(look_up(access_, connection, id, batch.caller));
  store::Members members(connection);
  PairFailures failures;
  std::vector<ProjectId> answering;
  // Of an image that is hidden from the caller a row may be left: it must not tell (decision L7).
  if (!image) failures = all_fail(projects.size(), Fault::image_not_found);
  for (std::size_t i = 0; image && i < projects.size(); ++i) {
    auto const row = TRY(members.find(id, projects[i]));
    if (!row) {
      failures.push_back({i, Fault::member_not_found});
    } else if (status == MemberStatus::accepted && is_full_server(*image)) {
      failures.push_back({i, Fault::vault_missing}); // there is no backup store to hold a vault
    } else if (row->status != status) {
      answering.push_back(projects[i]);
    }
  }
  TRY(members.set_status(id, answering, status, batch.now));
  TRY(record(connection, batch, model::audit::member_update, id, image, projects, failures));
  return failures;
}

Result<PairFailures> Sharing::fail_all(store::Connection& connection, Batch const& batch,
                                       model::AuditKind const& kind, ImageId const& image,
                                       std::span<ProjectId const> projects, Fault fault) {
  auto failures = all_fail(projects.size(), fault);
  TRY(record(connection, batch, kind, image, std::nullopt, projects, failures));
  return failures;
}

} // namespace vitrine::service
