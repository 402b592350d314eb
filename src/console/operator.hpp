// Who changes what by a command, for the audit trail.
#pragma once

#include "model/caller.hpp"

#include <string_view>

namespace vitrine::console {

/// Who may open the database needs no account of it.
inline model::Caller operator_of(std::string_view command) {
  model::Caller caller;
  caller.user = {"operator"};
  caller.user_name = command;
  return caller;
}

} // namespace vitrine::console
