// The body that names images and projects (contract: ims-api 5.1 and 5.2).
#pragma once

#include "api/kit/fields.hpp"
#include "base/limits.hpp"
#include "jobs/submit.hpp"

#include <utility>
#include <vector>

namespace vitrine::api::ims {

/// A field `projects` that may be left out where domains or organizations stand for it.
inline Field<jobs::PairArguments> projects_field() {
  using Body = jobs::PairArguments;
  return unless<Body>({"domains", "organizations"},
                      required("projects", &Body::projects, Size{1, limits::share_projects},
                               "Ids of the projects."));
}

inline std::vector<Field<jobs::PairArguments>>
pairs_body(Field<jobs::PairArguments> projects = projects_field()) {
  using Body = jobs::PairArguments;
  return {required("images", &Body::images, Size{1, limits::share_images}, "Ids of the images."),
          std::move(projects), not_offered<Body>("domains", "Sharing with domains is not offered."),
          not_offered<Body>("organizations", "Sharing with organizations is not offered.")};
}

} // namespace vitrine::api::ims
