// May this caller do this to that? Rules come from `defaults()` and a policy file, are resolved
// once at load into flat arrays, and are then evaluated without allocation.
//
//   auto const action = TRY(policy.action("get_image"));     // once, at start
//   if (!policy.allows(action, credentials, target)) ...      // per request
#pragma once

#include "base/result.hpp"
#include "service/policy/defaults.hpp"
#include "service/policy/rule.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::service::policy {

/// Who asks. Views only; an empty id is one the caller does not have, and never matches.
struct Credentials {
  std::string_view user_id;
  std::string_view project_id;
  std::string_view domain_id;
  std::span<std::string const> roles; ///< lower case, implied roles included
  bool is_admin{false};
};

/// An attribute of the target: unknown here (checks on it are false), known to be none, or text.
class Value {
public:
  constexpr Value() = default;
  constexpr Value(std::string_view text) : text_(text), state_(State::text) {}
  constexpr Value(char const* text) : Value(std::string_view(text)) {}
  Value(std::string const& text) : Value(std::string_view(text)) {}
  constexpr Value(std::same_as<bool> auto flag) : Value(flag ? "True" : "False") {}
  static constexpr Value none() {
    Value value("None");
    value.state_ = State::none;
    return value;
  }

  [[nodiscard]] constexpr bool known() const noexcept { return state_ != State::unknown; }
  [[nodiscard]] constexpr bool is_none() const noexcept { return state_ == State::none; }
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

private:
  enum class State : std::uint8_t { unknown, none, text };
  std::string_view text_;
  State state_{State::unknown};
};

/// What is acted on. Set what the action's rule may ask; the text must outlive the call.
///
/// Of an image: owner, visibility, and `member_id` = the caller's own project when it is a member
/// (any status), else left out. Of a member: `member_id` = that member. Of a user or its things:
/// user_id.
class Target {
public:
  Target& set(Attribute attribute, Value value) noexcept {
    values_[static_cast<std::size_t>(attribute)] = value;
    return *this;
  }
  [[nodiscard]] Value get(Attribute attribute) const noexcept {
    return values_[static_cast<std::size_t>(attribute)];
  }

private:
  std::array<Value, kAttributes + 1> values_{}; ///< the last one answers for Attribute::unknown
};

/// A policy by its place in the defaults; the same in every Policy loaded from the same defaults.
struct ActionId {
  std::uint16_t index{0};
  friend bool operator==(ActionId, ActionId) = default;
};

/// Immutable after load; thread-safe.
class Policy {
public:
  /// Resolves the defaults, overridden by name from the YAML (or JSON) file at `path`. The file may
  /// define base rules of its own; a name that is no policy and that no rule refers to is refused.
  /// Errors: `invalid_value`, detail `file:line: name: reason` for a file that cannot be read or
  /// parsed, a malformed rule, and a rule that refers to itself or to one that nobody defines.
  static Result<Policy> load(std::span<Default const> defaults,
                             std::optional<std::string> const& path = std::nullopt);
  /// As `load`, from text; `file` names it in faults.
  static Result<Policy> parse(std::span<Default const> defaults, std::string_view text,
                              std::string_view file);

  /// The action of that name. Errors: `invalid_value` for a name that is no policy.
  [[nodiscard]] Result<ActionId> action(std::string_view name) const;
  [[nodiscard]] std::string_view name(ActionId action) const noexcept {
    return names_[action.index];
  }
  /// The rule in force, as written; list forms are printed as `file:line`.
  [[nodiscard]] std::string_view rule(ActionId action) const noexcept {
    return rules_[action.index];
  }

  [[nodiscard]] bool allows(ActionId action, Credentials const& credentials,
                            Target const& target = {}) const noexcept;
  /// `allows` as a Result. Errors: `forbidden`, the detail names the action.
  [[nodiscard]] Result<> enforce(ActionId action, Credentials const& credentials,
                                 Target const& target = {}) const;

  /// `file:line: name: text` for each word of the file that can never match.
  [[nodiscard]] std::span<std::string const> warnings() const noexcept { return warnings_; }

private:
  friend class Compiler;

  /// Operands are `children_[first .. first + count)`; a check is `checks_[first]`.
  struct Node {
    Expression::Op op{Expression::Op::never};
    std::uint32_t first{0};
    std::uint32_t count{0};
  };

  Policy() = default;
  bool evaluate(std::uint32_t node, Credentials const& credentials,
                Target const& target) const noexcept;

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> children_;
  std::vector<Check> checks_;
  std::vector<std::uint32_t> roots_; ///< by ActionId
  std::vector<std::string> names_;   ///< by ActionId
  std::vector<std::string> rules_;   ///< by ActionId
  std::vector<std::string> warnings_;
};

} // namespace vitrine::service::policy
