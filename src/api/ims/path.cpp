#include "api/ims/path.hpp"

#include "base/text.hpp"

namespace vitrine::api::ims {

Result<> check_path(Context const& context) {
  if (auto const* project = context.find_param("project_id")) {
    if (!is_project_id(*project)) return error(Fault::invalid_project_id);
    bool const is_own = *project == context.caller.project.text;
    if (!is_own && !context.caller.is_admin) return error(Fault::project_mismatch);
  }
  auto const* image = context.find_param("image_id");
  if (image != nullptr && !is_uuid(*image)) return error(Fault::invalid_image_id);
  auto const* member = context.find_param("member_id");
  if (member != nullptr && !is_project_id(*member)) return error(Fault::invalid_project_id);
  return {};
}

ProjectId path_project(Context const& context) { return {context.param("project_id")}; }

ImageId path_image(Context const& context) { return {text::to_lower(context.param("image_id"))}; }

} // namespace vitrine::api::ims
