// For tests: how an engine means to run a statement, in one line.
//
// The line names the indexes in the order in which they are read, each with the columns that it is
// entered by; those that have a comparison are a range, all others one value:
//
//   image_members_received (project_id, status) > images_pkey (id)
//
// ` > ` looks up what was found before it, ` + ` stands between parts of a union, `[…]` is asked of
// each row. `sort(…)` holds all that its inside finds, `whole X` reads a table from end to end.
// What has no more rows than a page may be sorted again, and no word is made of it.
#pragma once

#include "store/metadata/connection.hpp"

#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store {

/// One step of a plan as the engine prints it, with what it reads from.
struct Step {
  std::string text;
  std::string condition{}; ///< by which an index is entered
  std::vector<Step> inputs{};
};

/// Patterns are compiled once: a plan has many lines, and there are thousands of plans.
inline std::regex const& pattern(char const* text) {
  static std::map<std::string, std::regex> compiled;
  auto const known = compiled.find(text);
  return known != compiled.end() ? known->second : compiled.emplace(text, text).first->second;
}

inline std::string replaced(std::string const& text, char const* what, char const* by) {
  return std::regex_replace(text, pattern(what), by);
}

inline bool matches(std::string const& text, std::smatch& found, char const* what) {
  return std::regex_search(text, found, pattern(what));
}

/// Reads what EXPLAIN answers, row by row, into a tree.
class PlanReader {
public:
  /// PostgreSQL: one line of a tree, `->` before each step but the first.
  void add_line(std::string_view line) {
    auto const start = line.find_first_not_of(' ');
    bool const arrow = line.substr(start).starts_with("->  ");
    auto const said = std::string(line.substr(start + (arrow ? 4 : 0)));
    if (arrow || start == 0) {
      add(start, said);
    } else if (said.starts_with("Index Cond: ")) {
      last_->condition = said.substr(said.find(' ', 6) + 1);
    }
  }

  /// SQLite: a step with its number and that of the step it is part of.
  void add_row(Row const& row) {
    auto const parent = depths_.find(row.integer(1));
    auto const depth = parent == depths_.end() ? 0 : parent->second + 1;
    depths_[row.integer(0)] = depth;
    add(depth, row.string(3));
  }

  std::vector<Step> take() { return std::move(roots_); }

private:
  void add(std::size_t depth, std::string text) {
    while (!open_.empty() && open_.back() >= depth)
      open_.pop_back();
    auto* steps = &roots_;
    for (std::size_t i = 0; i < open_.size(); ++i)
      steps = &steps->back().inputs;
    last_ = &steps->emplace_back(Step{.text = std::move(text)});
    open_.push_back(depth);
  }

  std::vector<Step> roots_;
  std::vector<std::size_t> open_; ///< the indents of the steps that the next may be part of
  Step* last_{nullptr};
  std::map<std::int64_t, std::size_t> depths_;
};

/// The line of a plan of PostgreSQL.
class PostgresShape {
public:
  static std::string of(Step const& step) {
    auto const& text = step.text;
    std::smatch found;
    if (matches(text, found, "Index.* using (\\w+)")) {
      return found.str(1) + columns(step.condition) + asked(step);
    }
    if (matches(text, found, "^Bitmap Index Scan on (\\w+)")) {
      return found.str(1) + columns(step.condition);
    }
    if (matches(text, found, "^(?:Parallel )?Seq Scan on (\\w+)")) {
      return "whole " + found.str(1) + asked(step);
    }
    if (text.starts_with("Nested Loop")) return joined(step.inputs, " > ");
    if (text.starts_with("Append")) return joined(step.inputs, " + ");
    auto const inside = joined(step.inputs, ", ");
    if (text == "Sort" || text == "Incremental Sort") {
      if (is_bounded(step.inputs.front())) return inside;
      return (text == "Sort" ? "sort(" : "part sort(") + inside + ")";
    }
    for (auto const* silent :
         {"Limit", "Memoize", "Bitmap Heap", "HashAggregate", "Aggregate", "Unique",
          "Subquery Scan", "LockRows", "Result", "Materialize", "ProjectSet"}) {
      if (text.starts_with(silent)) return inside;
    }
    return text + "(" + inside + ")";
  }

private:
  static std::string joined(std::vector<Step> const& steps, char const* between) {
    std::string out;
    for (auto const& step : steps) {
      auto const line = of(step);
      if (!line.empty()) out += (out.empty() ? "" : between) + line;
    }
    return out;
  }

  // What a scan asks of each row.
  static std::string asked(Step const& step) {
    auto const inside = joined(step.inputs, ", ");
    return inside.empty() ? "" : " [" + inside + "]";
  }

  // Whether a step reads no more rows than a page has, or some pages.
  static bool is_bounded(Step const& step) {
    if (step.text.starts_with("Limit")) return true;
    if (step.inputs.empty()) return false;
    if (step.text.starts_with("Append")) return std::ranges::all_of(step.inputs, is_bounded);
    return is_bounded(step.inputs.front());
  }

  // ((owner = 'p0'::text) AND (COALESCE(name, ''::text) > 'x'::text)) becomes (owner, name >).
  static std::string columns(std::string condition) {
    if (condition.empty()) return {};
    condition = replaced(condition, "'[^']*'", "?");
    condition = replaced(condition, R"(::\w+(\[\])?| COLLATE "C"|ROW)", "");
    condition = replaced(condition, R"(COALESCE\((\w+), [^)]*\))", "$1");
    condition = replaced(condition, R"( = ANY \([^)]*\)| = [\w.?$-]+)", "");
    condition = replaced(condition, R"( ([<>]=?) ([\w.?-]+|\([^)]*\)))", " $1");
    condition = replaced(condition, R"(\((\w+(?: [<>]=?)?|\([^()]*\) [<>]=?)\))", "$1");
    condition = replaced(condition, " AND ", ", ");
    return " " + (condition.starts_with("(") ? condition : "(" + condition + ")");
  }
};

/// The line of a plan of SQLite.
class SqliteShape {
public:
  static std::string of(std::vector<Step> const& steps) {
    std::string out;
    std::string asked;
    char const* between = " > ";
    char const* sorted = nullptr;
    auto const add = [&](std::string const& what) {
      if (!what.empty()) out += (out.empty() ? "" : between) + what;
    };
    for (auto const& step : steps) {
      auto const& text = step.text;
      if (text.contains("SCALAR SUBQUERY")) {
        asked += (asked.empty() ? "" : ", ") + of(step.inputs);
      } else if (text.starts_with("UNION") || text == "LEFT-MOST SUBQUERY") {
        between = " + ";
        add(of(step.inputs));
      } else if (text.starts_with("USE TEMP B-TREE FOR")) {
        // What the statement put together before is as large as a page.
        if (!reads_subquery(steps)) sorted = text.contains("PART OF") ? "part sort(" : "sort(";
      } else {
        add(step.inputs.empty() ? scan(text) : of(step.inputs));
      }
    }
    if (!asked.empty()) out += (out.empty() ? "[" : " [") + asked + "]";
    return sorted == nullptr ? out : sorted + out + ")";
  }

private:
  static bool is_subquery(std::string const& text) {
    return std::regex_match(text, pattern("SCAN (p\\d+|u|v)"));
  }

  // The first table is the one whose order counts.
  static bool reads_subquery(std::vector<Step> const& steps) {
    auto const first = std::ranges::find_if(steps, [](Step const& step) {
      return step.text.starts_with("SCAN ") || step.text.starts_with("SEARCH ");
    });
    return first != steps.end() && is_subquery(first->text);
  }

  static std::string scan(std::string const& text) {
    std::smatch found;
    if (is_subquery(text) || text == "SCAN CONSTANT ROW") return {};
    if (!matches(text, found, "INDEX (\\w+)|PRIMARY KEY")) {
      return replaced(text, "SCAN (\\w+).*", "whole $1");
    }
    if (text.contains("VIRTUAL TABLE")) return {}; // the texts of a filter
    auto const name =
        found[1].matched ? found.str(1) : replaced(text, "^\\w+ (\\w+).*", "$1 by primary key");
    auto columns = text.find('(') == std::string::npos ? "" : " " + text.substr(text.find('('));
    // Indexes of an expression are named for its column.
    columns = replaced(columns, "<expr>", name.substr(name.rfind('_') + 1).c_str());
    columns = replaced(columns, "=\\?", "");
    columns = replaced(columns, R"(([<>])(\?|\([?,]*\)))", " $1");
    columns = replaced(columns, R"((\w),(\w))", "$1, $2");
    return name + replaced(columns, " AND ", ", ");
  }
};

/// Explains the statement of one name in place of running it; runs all others.
class Explainer final : public Connection {
public:
  Explainer(Connection& engine, std::string_view name)
      : engine_(engine), name_(name), postgres_(&engine.dialect() == &kPostgresDialect) {}

  using Connection::run;
  Result<std::int64_t> run(sql::Statement const& statement, std::span<Param const> params,
                           Each const& each) override {
    if (statement.name != name_) return engine_.run(statement, params, each);
    PlanReader reader;
    bool const own = postgres_ && !statement.postgres.empty();
    auto const text = std::string(postgres_ ? "EXPLAIN (COSTS OFF) " : "EXPLAIN QUERY PLAN ") +
                      std::string(own ? statement.postgres : statement.text);
    TRY(engine_.run({"explain", text}, params, [&](Row const& row) {
      if (postgres_) return reader.add_line(row.text(0));
      reader.add_row(row);
    }));
    auto const steps = reader.take();
    plan_ = postgres_ ? PostgresShape::of(steps.front()) : SqliteShape::of(steps);
    return 0;
  }
  [[nodiscard]] Dialect const& dialect() const noexcept override { return engine_.dialect(); }

  [[nodiscard]] std::string const& plan() const { return plan_; }

private:
  Connection& engine_;
  std::string_view const name_;
  bool const postgres_;
  std::string plan_;
};

} // namespace vitrine::store
