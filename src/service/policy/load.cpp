// From defaults and a policy file to the flat arrays that are evaluated.
#include "base/yaml.hpp"
#include "service/policy/policy.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>

namespace vitrine::service::policy {
namespace {

using Op = Expression::Op;

constexpr std::size_t kReferencesMax = 64; ///< rules between an action and its last check
constexpr std::uint32_t kChecksMax = 4096; ///< checks that one decision may need

struct Definition {
  std::string rule;
  std::string where; ///< `file:line`
  Expression expression;
  bool builtin{true};
  bool referred{false};
};

using Definitions = std::map<std::string, Definition, std::less<>>;

Error fault(std::string_view where, std::string_view name, std::string_view reason) {
  return error(Fault::invalid_value, fmt::format("{}: {}: {}", where, name, reason),
               std::string(name));
}

Result<std::vector<Expression>> list_checks(YAML::Node const& list, Warnings& warnings) {
  std::vector<Expression> checks;
  for (auto const& item : list) {
    if (!item.IsScalar()) return error(Fault::invalid_value, "a list holds more than checks");
    checks.push_back(TRY(parse_check(item.Scalar(), warnings)));
  }
  return checks;
}

// The form before the language: a list of lists, "or" outside, "and" inside.
Result<Expression> parse_lists(YAML::Node const& lists, Warnings& warnings) {
  if (lists.size() == 0) return Expression{.op = Op::always};
  std::vector<Expression> alternatives;
  for (auto const& item : lists) {
    if (item.IsScalar()) {
      alternatives.push_back(TRY(parse_check(item.Scalar(), warnings)));
      continue;
    }
    if (!item.IsSequence()) return error(Fault::invalid_value, "a list holds more than lists");
    if (item.size() == 0) continue;
    auto checks = TRY(list_checks(item, warnings));
    alternatives.push_back(join(Op::all_of, std::move(checks), Op::always));
  }
  return join(Op::any_of, std::move(alternatives), Op::never);
}

Result<Expression> parse_value(YAML::Node const& value, Warnings& warnings) {
  if (value.IsSequence()) return parse_lists(value, warnings);
  if (value.IsScalar()) return parse_rule(value.Scalar(), warnings);
  return error(Fault::invalid_value,
               "the rule is missing (always is \"\", never is \"!\", in quotes)");
}

Result<> add_defaults(std::span<Default const> defaults, Definitions& definitions) {
  for (auto const& row : defaults) {
    Warnings warnings;
    auto expression = parse_rule(row.rule, warnings);
    if (!expression) return fault("defaults", row.name, expression.error().detail);
    if (!warnings.empty()) return fault("defaults", row.name, warnings.front());
    Definition definition{std::string(row.rule), "defaults", std::move(*expression), true, false};
    if (!definitions.emplace(row.name, std::move(definition)).second) {
      return fault("defaults", row.name, "declared twice");
    }
  }
  return {};
}

Result<> add_entry(std::string_view file, YAML::Node const& key, YAML::Node const& value,
                   Definitions& definitions, std::vector<std::string>& all_warnings) {
  auto const where = fmt::format("{}:{}", file, key.Mark().line + 1);
  if (!key.IsScalar()) return fault(where, "?", "a name must be text");
  auto const& name = key.Scalar();
  Warnings warnings;
  auto expression = parse_value(value, warnings);
  if (!expression) return fault(where, name, expression.error().detail);
  for (auto const& warning : warnings) {
    all_warnings.push_back(fmt::format("{}: {}: {}", where, name, warning));
  }
  auto const [at, added] = definitions.try_emplace(name);
  if (!added && at->second.where != "defaults") {
    return fault(where, name, "defined already at " + at->second.where);
  }
  at->second.rule = value.IsScalar() ? value.Scalar() : where;
  at->second.where = where;
  at->second.expression = std::move(*expression);
  at->second.builtin = !added;
  return {};
}

Result<> add_file(std::string_view text, std::string_view file, Definitions& definitions,
                  std::vector<std::string>& warnings) {
  auto const root = yaml::parse(std::string(text));
  if (!root) {
    return fault(fmt::format("{}:{}", file, root.error().line), "file", root.error().reason);
  }
  if (root->IsNull()) return {};
  if (!root->IsMap())
    return fault(fmt::format("{}:1", file), "file", "not a map of names to rules");
  for (auto const& entry : *root) {
    TRY(add_entry(file, entry.first, entry.second, definitions, warnings));
  }
  return {};
}

} // namespace

/// Turns definitions into the arrays of one Policy; a definition is compiled once, however often it
/// is referred to.
class Compiler {
public:
  Compiler(Policy& policy, Definitions& definitions) : policy_(policy), definitions_(definitions) {}

  Result<> run(std::span<Default const> defaults) {
    for (auto& [name, definition] : definitions_)
      TRY(define(name, definition));
    for (auto const& [name, definition] : definitions_) {
      if (definition.builtin || definition.referred) continue;
      return fault(definition.where, name, "no policy has this name and no rule refers to it");
    }
    for (auto const& row : defaults) {
      auto const& definition = definitions_.find(row.name)->second;
      policy_.roots_.push_back(roots_.find(row.name)->second);
      policy_.names_.emplace_back(row.name);
      policy_.rules_.push_back(definition.rule);
    }
    return {};
  }

private:
  Result<std::uint32_t> define(std::string const& name, Definition const& definition) {
    if (auto const known = roots_.find(name); known != roots_.end()) return known->second;
    if (std::ranges::find(path_, name) != path_.end()) {
      return fault(definition.where, name,
                   fmt::format("refers to itself through '{}'", path_.back()));
    }
    if (path_.size() == kReferencesMax) {
      return fault(definition.where, name,
                   fmt::format("rules refer to rules more than {} deep", kReferencesMax));
    }
    path_.push_back(name);
    auto const root = TRY(compile(definition.expression, name, definition));
    path_.pop_back();
    roots_.emplace(name, root);
    return root;
  }

  Result<std::uint32_t> compile(Expression const& expression, std::string const& name,
                                Definition const& definition) {
    if (expression.op == Op::reference) {
      auto const found = definitions_.find(expression.name);
      if (found == definitions_.end()) {
        return fault(definition.where, name,
                     fmt::format("refers to the rule '{}', which nobody defines", expression.name));
      }
      if (expression.name != name) found->second.referred = true;
      return define(found->first, found->second);
    }
    Policy::Node node{.op = expression.op};
    std::uint32_t cost = 1;
    if (expression.op == Op::check) {
      node.first = static_cast<std::uint32_t>(policy_.checks_.size());
      policy_.checks_.push_back(expression.check);
    } else {
      std::vector<std::uint32_t> operands;
      for (auto const& operand : expression.operands) {
        operands.push_back(TRY(compile(operand, name, definition)));
        cost += costs_[operands.back()];
        if (cost > kChecksMax) {
          return fault(definition.where, name,
                       fmt::format("a decision may need more than {} checks", kChecksMax));
        }
      }
      node.first = static_cast<std::uint32_t>(policy_.children_.size());
      node.count = static_cast<std::uint32_t>(operands.size());
      policy_.children_.insert(policy_.children_.end(), operands.begin(), operands.end());
    }
    policy_.nodes_.push_back(node);
    costs_.push_back(cost);
    return static_cast<std::uint32_t>(policy_.nodes_.size() - 1);
  }

  Policy& policy_;
  Definitions& definitions_;
  std::vector<std::uint32_t> costs_; ///< by node
  std::map<std::string, std::uint32_t, std::less<>> roots_;
  std::vector<std::string> path_;
};

Result<Policy> Policy::parse(std::span<Default const> defaults, std::string_view text,
                             std::string_view file) {
  Definitions definitions;
  TRY(add_defaults(defaults, definitions));
  Policy policy;
  TRY(add_file(text, file, definitions, policy.warnings_));
  TRY(Compiler(policy, definitions).run(defaults));
  return policy;
}

Result<Policy> Policy::load(std::span<Default const> defaults,
                            std::optional<std::string> const& path) {
  if (!path) return parse(defaults, "", "defaults");
  std::ifstream file(*path, std::ios::binary);
  if (!file) return fault(*path, "file", "cannot be read");
  std::string text(yaml::kBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) return fault(*path, "file", "cannot be read");
  return parse(defaults, text, *path);
}

} // namespace vitrine::service::policy
