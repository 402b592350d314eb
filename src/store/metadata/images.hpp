// Images as rows. All functions run inside a unit of work of `Database` and belong to its
// connection.
#pragma once

#include "model/caller.hpp"
#include "model/image.hpp"
#include "model/member.hpp"
#include "store/metadata/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {

/// An image with what the caller's project is to it.
struct ImageForCaller {
  model::Image image;
  std::optional<model::MemberStatus> membership; ///< of the caller's project
};

/// The images of one status and visibility.
struct ImageTotal {
  std::string status;
  std::string visibility;
  std::int64_t count{0};
  std::int64_t size_bytes{0};
};

class Images {
public:
  explicit Images(Connection& connection) : connection_(connection) {}

  /// Error: `image_not_found`.
  Result<model::Image> get(ImageId const& id);
  /// Nothing when it is not there.
  Result<std::optional<model::Image>> find(ImageId const& id);
  /// True when the row exists for the caller at all: own, public, community, shared with its
  /// project (in any status), or the caller is administrator. A private image hides even from
  /// members left over. Takes as long for an image of others as for an id of none.
  Result<bool> is_visible(ImageId const& id, model::Caller const& caller);
  /// The image, if it is visible to the caller, and its membership in one read. Error:
  /// `image_not_found`, as soon for an image of others as for an id of none.
  Result<ImageForCaller> get_for(ImageId const& id, model::Caller const& caller);
  /// Error: `image_exists` when the id is or ever was in use.
  Result<> insert(model::Image const& image);
  /// Stores the changes from `before` to `after`; the id, times of creation and member counter
  /// stay.
  Result<> update(model::Image const& before, model::Image const& after);
  /// Adds to the member counter and stores the visibility that follows from it.
  Result<> change_member_count(model::Image const& before, std::int64_t by,
                               model::Visibility visibility, bool auto_shared);
  /// Removes the row, its members, terms and data key; the id is never given out again.
  Result<> remove(model::Image const& image, Time now);
  /// Images that wait for an upload of which `RunningUploads` knows nothing (any more).
  Result<std::vector<model::Image>> interrupted_uploads();
  /// All images, by status and visibility. Reads every row.
  Result<std::vector<ImageTotal>> totals();
  /// True when a project has an image of that name, which is not empty.
  Result<bool> is_name_taken(ProjectId const& owner, std::string_view name);
  /// One of the images that a project has under that name, which is not empty.
  Result<std::optional<ImageId>> find_named(ProjectId const& owner, std::string_view name);
  Result<std::int64_t> count_owned(ProjectId const& owner);
  /// Own images with at least one accepted member.
  Result<std::int64_t> count_shared_out(ProjectId const& owner);
  Result<std::int64_t> most_members(ProjectId const& owner);

private:
  Connection& connection_;
};

/// Reads an image from the columns `image_columns` of sql/images.sql, which start at column 0.
model::Image row_to_image(Row const& row);
/// The number of those columns.
constexpr int kImageColumns = 26;

} // namespace vitrine::store
