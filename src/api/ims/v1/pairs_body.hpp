// The body that names images and projects (contract: ims-api 5.1 and 5.2).
#pragma once

#include "api/kit/fields.hpp"
#include "base/limits.hpp"
#include "jobs/submit.hpp"

#include <vector>

namespace vitrine::api::ims {

inline std::vector<Field<jobs::PairArguments>> pairs_body() {
  using Body = jobs::PairArguments;
  return {required("images", &Body::images, Size{1, limits::share_images}, "Ids of the images."),
          required("projects", &Body::projects, Size{1, limits::share_projects},
                   "Ids of the projects."),
          not_offered<Body>("domains", "Sharing with domains is not offered."),
          not_offered<Body>("organizations", "Sharing with organizations is not offered.")};
}

} // namespace vitrine::api::ims
