#include "api/ims/v1/path.hpp"

#include "base/text.hpp"

namespace vitrine::api::ims {

Result<ProjectId> path_project(Context const& context) {
  ProjectId project{context.param("project_id")};
  if (!is_project_id(project.text)) return error(Fault::invalid_project_id);
  if (project == context.caller.project || context.caller.is_admin) return project;
  return error(Fault::project_mismatch);
}

Result<ImageId> path_image(Context const& context) {
  auto const& text = context.param("image_id");
  if (!is_uuid(text)) return error(Fault::invalid_image_id);
  return ImageId{text::to_lower(text)};
}

} // namespace vitrine::api::ims
