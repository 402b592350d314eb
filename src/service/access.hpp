// What a caller may see and do: visibility of the row first, then the policy. One place, used by
// every service.
#pragma once

#include "base/result.hpp"
#include "model/caller.hpp"
#include "model/image.hpp"
#include "model/member.hpp"
#include "service/policy/policy.hpp"

#include <optional>
#include <string_view>

namespace vitrine::service {

/// An image as one caller meets it.
struct Sight {
  model::Image const& image;
  std::optional<model::MemberStatus> membership; ///< of the caller's project
};

/// True when the row exists for the caller at all: own, public, community, shared with its project
/// (in any status), or the caller is administrator. A private image hides even from members left
/// over.
bool is_visible(model::Caller const& caller, Sight const& sight);

/// Thread-safe, immutable.
class Access {
public:
  explicit Access(policy::Policy const& policy) : policy_(policy) {}

  /// The action of that name; an unknown one is a bug, since actions are named in code.
  [[nodiscard]] policy::ActionId action(std::string_view name) const;
  [[nodiscard]] std::string_view name(policy::ActionId action) const {
    return policy_.name(action);
  }

  /// May the caller do this at all, without an image? Error: `forbidden`, naming the action.
  Result<> require(policy::ActionId action, model::Caller const& caller) const;
  /// May the caller do this to the image? Errors: `image_not_found` when it is not visible to the
  /// caller (the same answer as for an id that does not exist), `forbidden` naming the action.
  Result<> require(policy::ActionId action, model::Caller const& caller, Sight const& sight) const;
  /// May the caller do this to a user or what is the user's own? Error: `forbidden`, naming the
  /// action.
  Result<> require(policy::ActionId action, model::Caller const& caller, UserId const& user) const;
  /// As a yes or no, for filtering.
  [[nodiscard]] bool allows(policy::ActionId action, model::Caller const& caller,
                            Sight const& sight) const;

private:
  policy::Policy const& policy_;
};

} // namespace vitrine::service
