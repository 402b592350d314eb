// What the sharing rules must know of projects; the built-in identity and Keystone answer it.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"

#include <cstddef>

namespace vitrine::model {

/// Thread-safe; may block on the network.
class ProjectDirectory {
public:
  virtual ~ProjectDirectory() = default;
  /// True when the project exists and is enabled. Error: `identity_unavailable`.
  virtual Result<bool> is_usable(ProjectId const& project) = 0;
  /// How many of these questions one request may have under way: 1 where they are answered nearby.
  [[nodiscard]] virtual std::size_t questions_at_once() const noexcept { return 1; }
};

} // namespace vitrine::model
