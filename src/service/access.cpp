#include "service/access.hpp"

namespace vitrine::service {
namespace {

policy::Credentials credentials(model::Caller const& caller) {
  return {.user_id = caller.user.text,
          .project_id = caller.project.text,
          .domain_id = caller.domain.text,
          .roles = caller.roles,
          .is_admin = caller.is_admin};
}

policy::Target target(model::Caller const& caller, Sight const& sight) {
  policy::Target out;
  out.set(policy::Attribute::owner, sight.image.owner.text);
  out.set(policy::Attribute::visibility, name_of(sight.image.visibility));
  out.set(policy::Attribute::is_protected, sight.image.is_protected);
  if (sight.membership) out.set(policy::Attribute::member_id, caller.project.text);
  return out;
}

// The rule of the statements of sql/images.sql, for images however they were found.
bool is_visible(model::Caller const& caller, Sight const& sight) {
  if (caller.is_admin || sight.image.owner == caller.project) return true;
  switch (sight.image.visibility) {
  case model::Visibility::public_:
  case model::Visibility::community: return true;
  case model::Visibility::shared: return sight.membership.has_value();
  case model::Visibility::private_: break;
  }
  return false;
}

} // namespace

Access::Access(policy::Policy policy, Denied denied)
    : policy_(std::move(policy)), administers_(action("context_is_admin")),
      get_image_(action("get_image")), denied_(std::move(denied)) {}

Result<> Access::enforce(policy::ActionId action, model::Caller const& caller,
                         policy::Target const& target) const {
  auto const& policy = policy_.current();
  auto judged = policy.enforce(action, credentials(caller), target);
  if (!judged && denied_) denied_(policy.name(action));
  return judged;
}

bool Access::is_administrator(model::Caller const& caller) const {
  return policy_.current().allows(administers_, credentials(caller));
}

policy::ActionId Access::action(std::string_view name) const {
  auto const found = policy_.current().action(name);
  CHECK(found);
  return *found;
}

Result<> Access::require(policy::ActionId action, model::Caller const& caller) const {
  policy::Target own;
  own.set(policy::Attribute::owner, caller.project.text);
  return enforce(action, caller, own);
}

Result<> Access::require_seen(model::Caller const& caller, Sight const& sight) const {
  if (is_visible(caller, sight) && enforce(get_image_, caller, target(caller, sight))) return {};
  return error(Fault::image_not_found, sight.image.id.text);
}

Result<> Access::require(policy::ActionId action, model::Caller const& caller,
                         Sight const& sight) const {
  TRY(require_seen(caller, sight));
  return enforce(action, caller, target(caller, sight));
}

Result<> Access::require_owned(model::Caller const& caller, Sight const& sight) const {
  TRY(require_seen(caller, sight));
  auto const& image = sight.image;
  if (caller.is_admin || image.owner == caller.project) return {};
  bool const is_public = image.visibility == model::Visibility::public_;
  return error(is_public ? Fault::public_of_others : Fault::not_image_owner, image.id.text);
}

Result<> Access::require_making(policy::ActionId action, model::Caller const& caller,
                                model::Image const& image) const {
  return enforce(action, caller, target(caller, {image, std::nullopt}));
}

Result<> Access::require(policy::ActionId action, model::Caller const& caller,
                         UserId const& user) const {
  policy::Target own;
  own.set(policy::Attribute::user_id, user.text);
  return enforce(action, caller, own);
}

bool Access::allows(policy::ActionId action, model::Caller const& caller,
                    Sight const& sight) const {
  if (!is_visible(caller, sight)) return false;
  auto const& policy = policy_.current();
  auto const who = credentials(caller);
  auto const what = target(caller, sight);
  return policy.allows(get_image_, who, what) &&
         (action == get_image_ || policy.allows(action, who, what));
}

} // namespace vitrine::service
