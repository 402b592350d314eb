// The policies this service knows: name, default rule, what it is for, and the operations it guards.
// Everything about a policy is said here once; the sample file and the reference are printed from it.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::service::policy {

struct Default {
  std::string_view name;
  std::string_view rule;
  std::string_view description;
  /// "METHOD /path" each; empty for a base rule, which other rules refer to and no endpoint names.
  std::vector<std::string_view> operations;
};

/// All policies, in the order of the contracts. Never changes; thread-safe.
std::span<Default const> defaults();

/// A policy file that changes nothing: every policy commented out, sorted by name, with its text.
std::string sample_yaml();

} // namespace vitrine::service::policy
