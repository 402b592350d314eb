// What the paths of the extension have in common.
#pragma once

#include "api/kit/request.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

namespace vitrine::api::ims {

/// The project of the path, which must be the caller's; an administrator may name any. Errors:
/// `invalid_project_id`, `project_mismatch`.
Result<ProjectId> path_project(Context const& context);
/// The image of the path, in lower case. Error: `invalid_image_id`.
Result<ImageId> path_image(Context const& context);

} // namespace vitrine::api::ims
