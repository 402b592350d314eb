// Keys that images are encrypted with, as far as sharing must know them. Runs inside a unit of work
// of `Database`.
#pragma once

#include "store/metadata/connection.hpp"

#include <cstdint>
#include <string_view>

namespace vitrine::store {

enum class KeyState : std::uint8_t { missing, disabled, enabled };

class Keys {
public:
  explicit Keys(Connection& connection) : connection_(connection) {}

  Result<KeyState> state(std::string_view key);
  /// True when the key was granted to the project or to its domain.
  Result<bool> is_granted(std::string_view key, ProjectId const& project);

private:
  Connection& connection_;
};

} // namespace vitrine::store
