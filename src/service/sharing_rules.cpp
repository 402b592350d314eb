#include "service/sharing_rules.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace vitrine::service {
namespace {

using model::Visibility;

} // namespace

bool is_from_backup(model::Image const& image) {
  return !image.property("__backup_id").value_or("").empty() ||
         image.property("__data_origin").value_or("").starts_with("server_backup,");
}

bool is_iso(model::Image const& image) {
  return image.disk_format == "iso" || image.property("virtual_env_type") == "IsoImage";
}

bool is_full_server(model::Image const& image) {
  auto const whole = image.property("__whole_image");
  return whole && text::equals_ignoring_case(*whole, "true");
}

Result<std::optional<Fault>> forbids_sharing(KeyStates& states, model::Image const& image) {
  if (is_full_server(image) && !is_from_backup(image)) {
    return std::optional(Fault::full_server_image);
  }
  return Encryption::forbids_sharing(states, image);
}

std::int64_t member_capacity(model::Image const& image, std::int64_t member_limit) {
  constexpr auto full_server = static_cast<std::int64_t>(limits::full_server_members);
  return is_full_server(image) ? std::min(full_server, member_limit) : member_limit;
}

SharedState after_adding(model::Image const& image) {
  if (image.visibility == Visibility::private_) return {Visibility::shared, true};
  return {image.visibility, image.auto_shared};
}

SharedState after_removing(model::Image const& image, std::int64_t removed) {
  bool const last = image.member_count == removed;
  if (last && image.auto_shared && image.visibility == Visibility::shared) {
    return {Visibility::private_, false};
  }
  return {image.visibility, image.auto_shared};
}

} // namespace vitrine::service
