// The policies this service knows: name, default rule, what it is for, and the operations it
// guards. Everything about a policy is said here once; the sample file and the reference are
// printed from it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vitrine::service::policy {

struct Default {
  std::string_view name;
  std::string_view rule;
  std::string_view description;
  std::array<std::string_view, 8> operation_list{};

  /// The guarded operations, "METHOD /path" each; none for a base rule, which other rules refer to
  /// and no endpoint names.
  [[nodiscard]] constexpr std::span<std::string_view const> operations() const noexcept {
    std::size_t count = 0;
    while (count < operation_list.size() && !operation_list[count].empty())
      ++count;
    return std::span(operation_list).first(count);
  }
};

/// All policies, in the order of the contracts. Never changes; thread-safe.
std::span<Default const> defaults();

/// A policy file that changes nothing: every policy commented out, sorted by name, with its text.
std::string sample_yaml();

} // namespace vitrine::service::policy
