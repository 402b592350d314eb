// Tags of images as the extension sees them (contract: ims-api 9): keys with values, set, removed,
// and looked for among the images of a project.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/image.hpp"
#include "model/image_tags.hpp"
#include "service/access.hpp"
#include "service/images.hpp"
#include "store/metadata/database.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vitrine::service {

/// Which images of a project are looked for; all of it holds.
struct TagSearch {
  model::TagQuery tags;
  std::optional<std::string> name; ///< a part of it in any letter case; empty: those without a name
  std::optional<ImageId> id;
};

/// Images that were found.
struct TaggedPage {
  std::size_t total; ///< all that fit
  /// At most as many as were asked for; the page ends with the image that brings its tags to 4 MiB.
  std::vector<model::Image> images;
};

/// Thread-safe.
class Tags {
public:
  Tags(store::Database& database, Access const& access, Images& images);

  /// Sets the tags, which `model::check_new_tags` has passed: all, or none. Errors: those of
  /// `Access::require_owned`, `tag_limit`.
  Result<> put(model::Caller const& caller, ImageId const& id,
               std::span<model::Tag const> tags) const;
  /// Removes what has these keys; how many strings. Errors: those of `Access::require_owned`.
  Result<std::size_t> remove(model::Caller const& caller, ImageId const& id,
                             std::span<std::string const> keys) const;
  /// The tags of an image, sorted. Error: `image_not_found`.
  Result<std::vector<model::Tag>> of_image(model::Caller const& caller, ImageId const& id) const;
  /// The tags of a project's images, sorted, each once. The project is the caller's, or the caller
  /// an administrator; so below.
  Result<std::vector<model::Tag>> of_project(model::Caller const& caller,
                                             ProjectId const& project) const;
  /// How many of a project's images fit.
  Result<std::size_t> count(model::Caller const& caller, ProjectId const& project,
                            TagSearch const& search) const;
  /// Those behind the first `offset` that fit, newest first.
  Result<TaggedPage> find(model::Caller const& caller, ProjectId const& project,
                          TagSearch const& search, std::size_t offset, std::size_t limit) const;

private:
  struct Hit {
    Time created_at;
    ImageId id;
  };
  Result<std::vector<Hit>> hits(store::Connection& connection, model::Caller const& caller,
                                ProjectId const& project, TagSearch const& search) const;

  store::Database& database_;
  Access const& access_;
  Images& images_;
  policy::ActionId const get_image_;
};

} // namespace vitrine::service
