#include "service/policy/policy.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace vitrine::service::policy {
namespace {

using Op = Expression::Op;

// Cuts `part` off the front of `rest`; `folding` when the letter case of `part` is unknown.
bool consume(std::string_view& rest, std::string_view part, bool folding) noexcept {
  if (rest.size() < part.size()) return false;
  auto const front = rest.substr(0, part.size());
  if (folding ? !text::equals_ignoring_case(front, part) : front != part) return false;
  rest.remove_prefix(part.size());
  return true;
}

enum class Nones : std::uint8_t { match, never_match };

bool matches(std::string_view left, std::vector<Piece> const& match, Target const& target,
             bool folding, Nones nones) noexcept {
  for (auto const& piece : match) {
    if (!consume(left, piece.text, folding)) return false;
    if (!piece.has_attribute) continue;
    auto const value = target.get(piece.attribute);
    if (!value.known() || (value.is_none() && nones == Nones::never_match)) return false;
    if (!consume(left, value.text(), folding)) return false;
  }
  return left.empty();
}

// True when the match is exactly one attribute and that is none, or the word None.
bool matches_none(std::vector<Piece> const& match, Target const& target) noexcept {
  auto const& first = match.front();
  if (!first.has_attribute) return first.text == "None";
  return match.size() == 2 && first.text.empty() && match.back().text.empty() &&
         target.get(first.attribute).is_none();
}

bool any_role(Check const& check, Credentials const& credentials, Target const& target,
              bool folding) noexcept {
  return std::ranges::any_of(credentials.roles, [&](std::string const& role) {
    return matches(role, check.match, target, folding, Nones::never_match);
  });
}

bool credential_matches(Check const& check, Credentials const& credentials,
                        Target const& target) noexcept {
  auto const id_matches = [&](std::string_view id) {
    return !id.empty() && matches(id, check.match, target, false, Nones::never_match);
  };
  switch (check.credential) {
  case Credential::user_id: return id_matches(credentials.user_id);
  case Credential::project_id: return id_matches(credentials.project_id);
  case Credential::domain_id: return id_matches(credentials.domain_id);
  case Credential::is_admin: return id_matches(credentials.is_admin ? "True" : "False");
  case Credential::roles: return any_role(check, credentials, target, false);
  case Credential::unknown: return false;
  }
  return false;
}

bool holds(Check const& check, Credentials const& credentials, Target const& target) noexcept {
  switch (check.left) {
  case Check::Left::role: return any_role(check, credentials, target, true);
  case Check::Left::literal:
    return matches(check.literal, check.match, target, false, Nones::match);
  case Check::Left::none: return matches_none(check.match, target);
  case Check::Left::credential: return credential_matches(check, credentials, target);
  }
  return false;
}

} // namespace

bool Policy::evaluate(std::uint32_t index, Credentials const& credentials,
                      Target const& target) const noexcept {
  auto const& node = nodes_[index];
  // Only groups have operands: the `first` of a check counts checks.
  auto const operands = [&] { return std::span(children_).subspan(node.first, node.count); };
  auto const holds_for = [&](std::uint32_t child) { return evaluate(child, credentials, target); };
  switch (node.op) {
  case Op::always: return true;
  case Op::never: return false;
  case Op::all_of: return std::ranges::all_of(operands(), holds_for);
  case Op::any_of: return std::ranges::any_of(operands(), holds_for);
  case Op::negation: return !holds_for(operands().front());
  case Op::check: return holds(checks_[node.first], credentials, target);
  case Op::reference: break; // resolved at load
  }
  return false;
}

bool Policy::allows(ActionId action, Credentials const& credentials,
                    Target const& target) const noexcept {
  return evaluate(roots_[action.index], credentials, target);
}

Result<> Policy::enforce(ActionId action, Credentials const& credentials,
                         Target const& target) const {
  if (allows(action, credentials, target)) return {};
  return error(Fault::forbidden, names_[action.index]);
}

Result<ActionId> Policy::action(std::string_view name) const {
  auto const found = std::ranges::find(names_, name);
  if (found == names_.end()) {
    return error(Fault::invalid_value, "no policy is named '" + std::string(name) + "'");
  }
  return ActionId{static_cast<std::uint16_t>(found - names_.begin())};
}

} // namespace vitrine::service::policy
