// Members of images as rows. All functions run inside a unit of work of `Database`.
#pragma once

#include "model/member.hpp"
#include "store/metadata/connection.hpp"

#include <optional>
#include <vector>

namespace vitrine::store {

class Members {
public:
  explicit Members(Connection& connection) : connection_(connection) {}

  /// Nothing when the project is not a member.
  Result<std::optional<model::Member>> find(ImageId const& image, ProjectId const& project);
  /// Every member of an image, oldest first, then by project id.
  Result<std::vector<model::Member>> of(ImageId const& image);
  /// Adds a pending member. False when the project is one already. The caller keeps the image's
  /// counter.
  Result<bool> add(ImageId const& image, Time image_created_at, ProjectId const& project, Time now);
  Result<> set_status(ImageId const& image, ProjectId const& project, model::MemberStatus status,
                      Time now);
  /// False when the project was no member. The caller keeps the image's counter.
  Result<bool> remove(ImageId const& image, ProjectId const& project);

private:
  Connection& connection_;
};

} // namespace vitrine::store
