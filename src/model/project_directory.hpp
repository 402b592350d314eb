// What the sharing rules must know of projects; the built-in identity and Keystone answer it.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"

namespace vitrine::model {

/// Thread-safe; may block on the network.
class ProjectDirectory {
public:
  virtual ~ProjectDirectory() = default;
  /// True when the project exists and is enabled. Error: `identity_unavailable`.
  virtual Result<bool> is_usable(ProjectId const& project) = 0;
};

} // namespace vitrine::model
