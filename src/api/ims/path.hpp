// What the paths of the extension have in common.
#pragma once

#include "api/kit/request.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

namespace vitrine::api::ims {

/// Judges the ids of the path, before the body (contract: ims-api 2.1): a project must be the
/// caller's, but an administrator may name any; a member is only judged by its form. Errors:
/// `invalid_project_id`, `project_mismatch`, `invalid_image_id`.
Result<> check_path(Context const& context);
/// The project of a path that was judged.
ProjectId path_project(Context const& context);
/// The image of a path that was judged, in lower case.
ImageId path_image(Context const& context);

} // namespace vitrine::api::ims
