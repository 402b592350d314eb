// What keys are named, whatever the driver; for the drivers only.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace vitrine::store {

/// Error: `invalid_value` for a name that no operator may give a key.
Result<> check_key_name(std::string_view name);
/// The name of the key that is made for a project which names none. No operator can give it.
std::string default_key_name(ProjectId const& project);

} // namespace vitrine::store
