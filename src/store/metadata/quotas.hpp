// Limits an operator set for one project. Runs inside a unit of work of `Database`.
#pragma once

#include "store/metadata/connection.hpp"

#include <optional>
#include <string_view>

namespace vitrine::store {

class Quotas {
public:
  explicit Quotas(Connection& connection) : connection_(connection) {}

  /// Nothing when the configured default holds.
  Result<std::optional<std::int64_t>> find(ProjectId const& project, std::string_view resource);
  Result<> set(ProjectId const& project, std::string_view resource, std::int64_t quota);
  /// Lets the configured default hold again. False when it does.
  Result<bool> remove(ProjectId const& project, std::string_view resource);
  /// Own images with members in any status: no fewer than those with an accepted one, and cheap.
  Result<std::int64_t> count_with_members(ProjectId const& owner);

private:
  Connection& connection_;
};

} // namespace vitrine::store
