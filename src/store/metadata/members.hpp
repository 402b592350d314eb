// Members of images as rows. All functions run inside a unit of work of `Database`.
#pragma once

#include "model/member.hpp"
#include "store/metadata/connection.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vitrine::store {

class Members {
public:
  explicit Members(Connection& connection) : connection_(connection) {}

  /// Nothing when the project is not a member.
  Result<std::optional<model::Member>> find(ImageId const& image, ProjectId const& project);
  /// Every member of an image, oldest first, then by project id.
  Result<std::vector<model::Member>> of(ImageId const& image);
  /// Adds pending members; returns how many were none before. The caller keeps the image's counter.
  Result<std::int64_t> add(ImageId const& image, Time image_created_at,
                           std::span<ProjectId const> projects, Time now);
  Result<> set_status(ImageId const& image, std::span<ProjectId const> projects,
                      model::MemberStatus status, Time now);
  /// Returns how many were members. The caller keeps the image's counter.
  Result<std::int64_t> remove(ImageId const& image, std::span<ProjectId const> projects);

private:
  Connection& connection_;
};

} // namespace vitrine::store
