// Who is asking, as far as any layer needs to know. No credential is in here.
#pragma once

#include "base/ids.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::model {

struct Caller {
  UserId user;
  std::string user_name;
  ProjectId project;              ///< empty for a domain-scoped or unscoped token
  DomainId domain;                ///< of the project; of the scope for a domain-scoped token
  std::vector<std::string> roles; ///< lower case, implied roles included
  bool is_admin{false};           ///< holds the role that the policy `context_is_admin` names
  std::string request_id;         ///< `req-<uuid>`
  std::string address;            ///< of the client

  [[nodiscard]] bool has_role(std::string_view role) const {
    return std::ranges::find(roles, role) != roles.end();
  }
};

} // namespace vitrine::model
