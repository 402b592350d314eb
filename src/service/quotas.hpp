// How much a project may have, and how much it has (contract: ims-api 8).
#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "service/change.hpp"
#include "store/metadata/database.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace vitrine::service {

namespace quota {
inline constexpr std::string_view image = "image";               ///< images a project owns
inline constexpr std::string_view image_shared = "image_shared"; ///< of them, accepted by somebody
inline constexpr std::string_view image_member = "image_member"; ///< members of one image
} // namespace quota

/// What holds where the operator stored nothing for a project.
struct QuotaDefaults {
  std::int64_t image{100};
  std::int64_t image_shared{1000};
  std::int64_t image_member{limits::image_members};
};

/// What no project goes beyond, whatever the operator stored for it.
struct QuotaCeilings {
  std::int64_t image_member{limits::image_members};
};

struct QuotaRow {
  std::string_view type;
  std::int64_t used{0};
  std::int64_t quota{0};
  std::int64_t min{0};
  std::int64_t max{0};
};

/// Thread-safe.
class Quotas {
public:
  Quotas(store::Database& database, QuotaDefaults defaults, QuotaCeilings ceilings = {})
      : database_(database), defaults_(defaults), ceilings_(ceilings) {}

  /// Rows in the order image, image_shared, image_member.
  Result<std::vector<QuotaRow>> usage(ProjectId const& project) const;
  /// Stores a limit for one project, in force from now on; what it has already stays. Errors:
  /// `invalid_value` for an unknown resource, below 0, or above the `max` that `usage` tells of a
  /// project without a limit of its own.
  Result<> set(ProjectId const& project, std::string_view resource, std::int64_t limit,
               Change const& change) const;
  /// Lets the default hold again. Errors: `invalid_value` for an unknown resource.
  Result<> reset(ProjectId const& project, std::string_view resource, Change const& change) const;
  /// The limit in force of one resource, inside a unit of work.
  Result<std::int64_t> limit(store::Connection& connection, ProjectId const& project,
                             std::string_view resource) const;
  /// May the project own so many more images, inside a unit of work? Error: `image_quota`.
  Result<> require_room(store::Connection& connection, ProjectId const& owner,
                        std::int64_t count = 1) const;
  /// True when the project may share one more image, inside a unit of work.
  Result<bool> may_share_another(store::Connection& connection, ProjectId const& owner) const;

private:
  [[nodiscard]] std::int64_t default_of(std::string_view resource) const;

  store::Database& database_;
  QuotaDefaults const defaults_;
  QuotaCeilings const ceilings_;
};

} // namespace vitrine::service
