// Sharing an image with other projects: one member at a time (Image API), or one image with many
// projects inside a job (IMS). The rules are the same for both.
#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "model/audit.hpp"
#include "model/caller.hpp"
#include "model/member.hpp"
#include "model/project_directory.hpp"
#include "service/access.hpp"
#include "service/batch.hpp"
#include "service/encryption.hpp"
#include "service/quotas.hpp"
#include "store/metadata/database.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace vitrine::service {

struct SharingOptions {
  bool private_may_have_members{true}; ///< profile ims: the first member makes the image shared
};

/// A project of a bulk request that did not get what was asked; all others did.
struct PairFailure {
  std::size_t index; ///< of the project in the request
  Fault fault;
};
using PairFailures = std::vector<PairFailure>;

/// What the directory says of each project of a request, by index: nothing when it may be a member.
using ProjectFaults = std::vector<std::optional<Fault>>;

/// True once whoever asked wants no answer any more. Called by several threads, one at a time.
using Stopping = std::function<bool()>;

/// Thread-safe.
class Sharing {
public:
  Sharing(store::Database& database, Access const& access, Quotas const& quotas,
          Encryption const& encryption, model::ProjectDirectory& directory, Clock const& clock,
          SharingOptions options);

  // One member at a time. Each answers `image_not_found` for an image the caller cannot see.

  /// Errors: `forbidden`, `not_shareable`, `share_with_self`, `member_exists`, `member_limit`,
  /// `sharing_quota`.
  Result<model::Member> add(model::Caller const& caller, ImageId const& image,
                            ProjectId const& project);
  /// By creation, then project: all for the owner, the caller's own row for a member. Errors:
  /// `forbidden`, `not_shareable` when images of this visibility have no members.
  Result<std::vector<model::Member>> list(model::Caller const& caller, ImageId const& image);
  /// Error: `member_not_found`, also when the caller may not see it.
  Result<model::Member> get(model::Caller const& caller, ImageId const& image,
                            ProjectId const& project);
  /// The member accepts, rejects or waits again. Errors: `member_not_found`, `forbidden`,
  /// `vault_missing`.
  Result<model::Member> answer(model::Caller const& caller, ImageId const& image,
                               ProjectId const& project, model::MemberStatus status);
  /// Errors: `forbidden`, `image_is_public`, `member_not_found`.
  Result<> remove(model::Caller const& caller, ImageId const& image, ProjectId const& project);

  /// The members as the extension shows them (contract: ims-api 5.4): the owner sees all, a member
  /// itself, nobody else anything (`image_not_found`). The policy is not asked.
  Result<std::vector<model::Member>> visible_members(model::Caller const& caller,
                                                     ImageId const& image);

  // Bulk.

  /// Error: `image_not_found` when the caller sees none of the images (decision L1).
  Result<> require_some_visible(model::Caller const& caller, std::span<ImageId const> images);
  /// `project_unknown` or `identity_unavailable` for each project that cannot become a member. Once
  /// the identity service has not answered, it is not asked about the rest: however many they are,
  /// this blocks for no more than a few of its timeouts. Error, which is no fault of a pair:
  /// `unavailable` when our own database does not answer, or `stopping`.
  Result<ProjectFaults> check_projects(std::span<ProjectId const> projects,
                                       Stopping const& stopping);

  // Inside a unit of work: one image with the projects of the request. The change and its audit
  // event are written to the connection; the failures are returned, by index.

  Result<PairFailures> add_all(store::Connection& connection, KeyStates& states, Batch const& batch,
                               ImageId const& image, std::span<ProjectId const> projects,
                               ProjectFaults const& checked);
  Result<PairFailures> remove_all(store::Connection& connection, Batch const& batch,
                                  ImageId const& image, std::span<ProjectId const> projects);
  Result<PairFailures> answer_all(store::Connection& connection, Batch const& batch,
                                  ImageId const& image, std::span<ProjectId const> projects,
                                  model::MemberStatus status);
  /// Nothing of it could be stored: records the failure of every pair.
  Result<PairFailures> fail_all(store::Connection& connection, Batch const& batch,
                                model::AuditKind const& kind, ImageId const& image,
                                std::span<ProjectId const> projects, Fault fault);

private:
  class Adding;
  struct Actions {
    policy::ActionId add;
    policy::ActionId list;
    policy::ActionId get;
    policy::ActionId answer;
    policy::ActionId remove;
  };

  Result<model::Member> add_one(store::Connection& connection, KeyStates& states,
                                model::Caller const& caller, ImageId const& id,
                                ProjectId const& project) const;
  Result<std::int64_t> capacity(store::Connection& connection, model::Image const& image) const;
  Result<> require_members_offered(model::Image const& image) const;

  store::Database& database_;
  Access const& access_;
  Quotas const& quotas_;
  Encryption const& encryption_;
  model::ProjectDirectory& directory_;
  Clock const& clock_;
  SharingOptions const options_;
  Actions const actions_;
};

} // namespace vitrine::service
