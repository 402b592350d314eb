#include "service/sharing_rules.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "store/metadata/keys.hpp"

#include <algorithm>

namespace vitrine::service {
namespace {

using model::Visibility;

constexpr std::string_view kKey = "__system__cmkid";

bool is_default_key(std::string_view key) { return key == "ims/default" || key == "default"; }

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

Result<std::optional<Fault>> forbids_sharing(store::Connection& connection,
                                             model::Image const& image) {
  using Why = std::optional<Fault>;
  if (is_full_server(image) && !is_from_backup(image)) return Why(Fault::full_server_image);
  auto const key = image.property(kKey);
  if (!key || key->empty()) return Why();
  if (is_default_key(*key)) return Why(Fault::encrypted_default_key);
  switch (TRY(store::Keys(connection).state(*key))) {
  case store::KeyState::missing: return Why(Fault::key_missing);
  case store::KeyState::disabled: return Why(Fault::key_disabled);
  case store::KeyState::enabled: break;
  }
  return Why();
}

std::optional<std::string> key_to_grant(model::Image const& image) {
  auto key = image.property(kKey);
  if (!key || key->empty() || is_default_key(*key)) return std::nullopt;
  return key;
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
