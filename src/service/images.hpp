// Images as documents: create, read, list, change, delete, tags, deactivation. The rules; no HTTP,
// no SQL.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/audit.hpp"
#include "model/caller.hpp"
#include "model/image.hpp"
#include "model/listing.hpp"
#include "service/access.hpp"
#include "service/batch.hpp"
#include "service/quotas.hpp"
#include "store/metadata/database.hpp"
#include "store/metadata/images.hpp"

#include <functional>
#include <string>
#include <vector>

namespace vitrine::service {

/// Limits and habits that the configuration decides.
struct ImagesOptions {
  bool ims_profile{true}; ///< contract: ims-api 3.1, `[compat] profile`
  std::size_t property_max{128};
  std::size_t tag_max{128};
  bool unique_names{false};  ///< in each project
  bool quota_applies{false}; ///< that of images, to `create`
};

/// A page of a list. It may end before `limit` images, so that it stays small however large they
/// are.
struct ImagePage {
  std::vector<model::Image> images;
  bool has_more; ///< there may be more behind the last image
};

/// Thread-safe.
class Images {
public:
  /// A change to a copy of the image; an error of it leaves the image as it was.
  using Change = std::function<Result<>(model::Image&)>;
  using Removed = std::function<Result<>(store::Connection&, model::Image const&)>;

  Images(store::Database& database, Access const& access, Quotas const& quotas, Clock const& clock,
         ImagesOptions options);

  [[nodiscard]] ImagesOptions const& options() const noexcept { return options_; }

  /// Stores a new image, `queued`. An empty owner means the caller's project; an empty id a new
  /// one. Errors: `forbidden` (add_image, publicize_image, an owner of another project),
  /// `image_exists`, `name_taken`, `image_quota`, `property_limit`, `tag_limit`.
  Result<model::Image> create(model::Caller const& caller, model::Image image);
  /// Could a job of the extension make that image now, as one of `count`, inside a unit of work?
  /// Its owner's quota always applies. Errors: `name_taken`, `image_quota`, `property_limit`,
  /// `tag_limit`.
  Result<> check_new(store::Connection& connection, model::Image const& image,
                     std::int64_t count = 1) const;
  /// Stores what such a job made, with its id and times, and the event, inside a unit of work.
  /// Errors: `image_exists`, those of `check_new`.
  Result<> add(store::Connection& connection, Batch const& batch, model::AuditKind const& kind,
               model::Image const& image) const;
  /// Error: `image_not_found`, also when the policy denies `get_image`.
  Result<model::Image> show(model::Caller const& caller, ImageId const& id);
  /// As `show`, without waiting (`store::Database::read_later`). The caller must live until `done`.
  bool show_later(model::Caller const& caller, ImageId id,
                  std::function<void(Result<model::Image>)> done);
  /// The image, for a caller who may do `action` to it. Errors: `image_not_found`, `forbidden`.
  Result<model::Image> show_for(policy::ActionId action, model::Caller const& caller,
                                ImageId const& id);
  /// The page, without rows that the policy `get_image` denies: it may be short, but is empty only
  /// at the end of the list. Error: `forbidden` (get_images).
  Result<ImagePage> list(model::Caller const& caller, model::ImageListing const& listing);
  /// As `list`, without waiting, for brief listings; false also for what `list` refuses. The caller
  /// must live until `done`.
  bool list_later(model::Caller const& caller, model::ImageListing listing,
                  std::function<void(Result<ImagePage>)> done);
  /// Applies `change` in one transaction; what it leaves as it was is no change: `updated_at`
  /// stays, and the audit trail has no event. Errors: `image_not_found`, `forbidden`, `name_taken`,
  /// limits, what `change` says.
  Result<model::Image> change(model::Caller const& caller, ImageId const& id, Change const& change);
  /// As `change`, by the rule of the extension that an image is its owner's (contract:
  /// ims-api 2.2); the trail gets an event of that kind. Errors: those of `Access::require_owned`,
  /// `name_taken`, limits, what `change` says.
  Result<model::Image> change_owned(model::Caller const& caller, ImageId const& id,
                                    model::AuditKind const& kind, Change const& change);
  /// May the caller give an image the visibility that this one has? `change` asks when it differs.
  /// Error: `forbidden` (publicize_image, communitize_image).
  Result<> check_visibility(model::Caller const& caller, model::Image const& image) const;
  /// `also` runs in the same transaction, with the image as it was. Errors: `image_not_found`,
  /// `forbidden`, `image_protected`, that of `also`.
  Result<> remove(model::Caller const& caller, ImageId const& id, Removed const& also = {});
  /// Idempotent. Errors: `image_not_found`, `forbidden`, `transition_forbidden`.
  Result<> deactivate(model::Caller const& caller, ImageId const& id);
  /// Idempotent. What an administrator deactivated only an administrator reactivates (decision L7).
  Result<> reactivate(model::Caller const& caller, ImageId const& id);
  /// Success also when the tag is there. Error: `tag_limit`.
  Result<> add_tag(model::Caller const& caller, ImageId const& id, std::string const& tag);
  /// Error: `tag_not_found`.
  Result<> remove_tag(model::Caller const& caller, ImageId const& id, std::string const& tag);

private:
  using May = std::function<Result<>(Sight const&)>;
  Result<store::ImageForCaller> find(model::Caller const& caller, ImageId const& id);
  Result<model::Image> seen(model::Caller const& caller, Result<store::ImageForCaller> found) const;
  Result<ImagePage> page(store::Connection& connection, model::Caller const& caller,
                         model::ImageListing asked) const;
  Result<model::Image> modify(model::Caller const& caller, ImageId const& id, May const& may,
                              model::AuditKind kind, Change const& change);
  Result<model::Image> modify(model::Caller const& caller, ImageId const& id,
                              policy::ActionId action, model::AuditKind kind, Change const& change);
  Result<> check_limits(model::Image const& before, model::Image const& after) const;
  // Inside the unit of work that stores the image, so that of two at once one waits for the other.
  Result<> check_name(store::Connection& connection, model::Image const& before,
                      model::Image const& after) const;

  store::Database& database_;
  Access const& access_;
  Quotas const& quotas_;
  Clock const& clock_;
  ImagesOptions const options_;
  policy::ActionId const get_images_, get_image_, add_image_, modify_image_, delete_image_,
      deactivate_, reactivate_, publicize_, communitize_;
};

} // namespace vitrine::service
