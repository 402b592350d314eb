// What a caller may see and do: visibility of the row first, then the policy, of which `get_image`
// first. One place, used by every service.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/image.hpp"
#include "model/member.hpp"
#include "service/policy/in_force.hpp"

#include <functional>
#include <optional>
#include <string_view>

namespace vitrine::service {

/// An image as one caller meets it.
struct Sight {
  model::Image const& image;
  std::optional<model::MemberStatus> membership; ///< of the caller's project
};

/// Thread-safe.
class Access {
public:
  /// Told of each action that the policy denied, from any thread.
  using Denied = std::function<void(std::string_view action)>;

  explicit Access(policy::Policy policy, Denied denied = {});

  /// Judges by another policy from now on; it must be loaded from the same defaults.
  void replace(policy::Policy next) { policy_.replace(std::move(next)); }

  /// The action of that name; an unknown one is a bug, since actions are named in code.
  [[nodiscard]] policy::ActionId action(std::string_view name) const;

  /// Is the caller an administrator of the service, by the rule `context_is_admin`? Asked when a
  /// caller is first seen; afterwards `Caller::is_admin` tells.
  [[nodiscard]] bool is_administrator(model::Caller const& caller) const;

  /// May the caller do this at all, without an image? Error: `forbidden`, naming the action.
  Result<> require(policy::ActionId action, model::Caller const& caller) const;
  /// May the caller know of the image: is it visible, and does the policy allow `get_image`? Error:
  /// `image_not_found`, the same answer as for an id that does not exist.
  Result<> require_seen(model::Caller const& caller, Sight const& sight) const;
  /// May the caller do this to the image? `get_image` is implied by all (contract: glance-v2 1.3).
  /// Errors: those of `require_seen`, then `forbidden` naming the action.
  Result<> require(policy::ActionId action, model::Caller const& caller, Sight const& sight) const;
  /// May the caller write to the image as its owner: the rule of the extension (contract: ims-api
  /// 2.2), which an administrator passes? Its actions are judged by role alone, before. Errors:
  /// those of `require_seen`, then `public_of_others` or `not_image_owner`.
  Result<> require_owned(model::Caller const& caller, Sight const& sight) const;
  /// May the caller make an image this one, which is about to be stored? Judged as the owner's
  /// image, whoever may see it. Error: `forbidden`, naming the action.
  Result<> require_making(policy::ActionId action, model::Caller const& caller,
                          model::Image const& image) const;
  /// May the caller do this to a user or what is the user's own? Error: `forbidden`, naming the
  /// action.
  Result<> require(policy::ActionId action, model::Caller const& caller, UserId const& user) const;
  /// `require` as a yes or no, for filtering.
  [[nodiscard]] bool allows(policy::ActionId action, model::Caller const& caller,
                            Sight const& sight) const;

private:
  Result<> enforce(policy::ActionId action, model::Caller const& caller,
                   policy::Target const& target) const;

  policy::InForce policy_;
  policy::ActionId const administers_, get_image_;
  Denied const denied_;
};

} // namespace vitrine::service
