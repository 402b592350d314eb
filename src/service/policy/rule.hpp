// One rule of the policy language (oslo.policy's): text to an expression tree. Pure; no files, no
// evaluation.
//
//   rule   = "" | or           "" is always true
//   or     = and {"or" and}    and = not {"and" not}    not = "not" not | "(" or ")" | check
//   check  = "@" | "!" | kind ":" match
//
// Words are separated by blanks; parentheses may touch a word. Keywords are read in any letter
// case. `kind` is `role`, `rule`, a literal ('text', "text", True, False, None, a number) or the
// name of a credential. `match` is text in which `%(name)s` stands for an attribute of the target
// and `%%` for `%`.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::service::policy {

/// What a check may ask about the caller.
enum class Credential : std::uint8_t { user_id, project_id, domain_id, is_admin, roles, unknown };

/// What a check may ask about the thing acted on. `owner` also answers to `project_id` and
/// `tenant`.
enum class Attribute : std::uint8_t {
  owner,
  member_id,
  visibility,
  user_id,
  domain_id,
  image_id,
  status,
  is_protected,
  os_hidden,
  unknown, ///< of no target: a check that names it never matches
};
constexpr std::size_t kAttributes = static_cast<std::size_t>(Attribute::unknown);

/// Literal text followed, unless it is the last piece, by an attribute of the target.
struct Piece {
  std::string text;
  Attribute attribute{Attribute::unknown};
  bool has_attribute{false};
};

struct Check {
  enum class Left : std::uint8_t { role, literal, none, credential };
  Left left{Left::literal};
  Credential credential{Credential::unknown};
  std::string literal;
  std::vector<Piece> match;
};

struct Expression {
  enum class Op : std::uint8_t { always, never, all_of, any_of, negation, reference, check };
  Op op{Op::always};
  std::vector<Expression> operands{}; ///< of all_of, any_of (two or more) and negation (one)
  std::string name{};                 ///< of reference
  Check check{};                      ///< of check
};

/// Words of a rule that name no known credential or attribute; such checks are false, as in
/// oslo.policy.
using Warnings = std::vector<std::string>;

/// Parses a rule. Errors: `invalid_value`, the detail says what is wrong with which word.
Result<Expression> parse_rule(std::string_view text, Warnings& warnings);
/// Parses one check, as the elements of the old list form are written.
Result<Expression> parse_check(std::string_view word, Warnings& warnings);

/// Joins expressions; one stays itself, none is `when_empty`.
Expression join(Expression::Op op, std::vector<Expression> operands, Expression::Op when_empty);

} // namespace vitrine::service::policy
