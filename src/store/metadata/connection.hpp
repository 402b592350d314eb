// A connection to a SQL engine, as narrow as both engines allow: named statements, `$n` parameters,
// rows.
//
// The ports of this folder (images.hpp, members.hpp, jobs.hpp, …) are written once above this
// interface; an engine is one implementation of Connection and Database (sqlite/, postgres/).
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "statements.hpp"
#include "store/metadata/dialect.hpp"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vitrine::store {

/// A value bound to a `$n`. Refers to the caller's text; lives no longer than the call.
class Param {
public:
  enum class Type : std::uint8_t { null, integer, text };

  Param(std::nullptr_t) {}
  Param(std::nullopt_t) {}
  template <class T>
    requires std::is_integral_v<T>
  Param(T value) : type_(Type::integer), integer_(static_cast<std::int64_t>(value)) {}
  Param(Time time) : type_(Type::integer), integer_(time.us) {}
  Param(std::string_view text) : type_(Type::text), text_(text) {}
  Param(std::string const& text) : Param(std::string_view(text)) {}
  Param(char const* text) : Param(std::string_view(text)) {}
  template <class Tag>
  Param(Id<Tag> const& id) : Param(std::string_view(id.text)) {}
  template <class T>
  Param(std::optional<T> const& value) {
    if (value) *this = Param(*value);
  }

  [[nodiscard]] Type type() const noexcept { return type_; }
  [[nodiscard]] std::int64_t integer() const noexcept { return integer_; }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

private:
  Type type_{Type::null};
  std::int64_t integer_{0};
  std::string_view text_;
};

/// The parameters of one execution of a statement.
using Params = std::vector<Param>;

/// The parameters of a batch: one row for each of `values`. They refer to the values.
template <class Range, class F>
std::vector<Params> rows_for(Range const& values, F&& params_of) {
  std::vector<Params> rows;
  rows.reserve(std::size(values));
  for (auto const& value : values)
    rows.push_back(params_of(value));
  return rows;
}

/// One row of a result; columns count from 0. Texts live until the callback returns.
class Row {
public:
  virtual ~Row() = default;
  [[nodiscard]] virtual bool is_null(int column) const = 0;
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual std::string_view text(int column) const = 0;

  [[nodiscard]] bool flag(int column) const { return integer(column) != 0; }
  [[nodiscard]] std::string string(int column) const { return std::string(text(column)); }
  [[nodiscard]] Time time(int column) const { return Time{integer(column)}; }
  template <class IdType>
  [[nodiscard]] IdType id(int column) const {
    return IdType{string(column)};
  }
  [[nodiscard]] std::optional<std::string> maybe_string(int column) const {
    return is_null(column) ? std::nullopt : std::optional(string(column));
  }
  [[nodiscard]] std::optional<std::int64_t> maybe_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
  }
  [[nodiscard]] std::optional<Time> maybe_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional(time(column));
  }
};

/// Not thread-safe: used by one unit of work at a time.
class Connection {
public:
  using Each = std::function<void(Row const&)>;

  virtual ~Connection() = default;
  /// Runs one statement; `each` sees every row in order. Returns the number of rows changed.
  /// Errors: `conflict` on a violated unique key, `unavailable` when the engine is out of reach or
  /// its disk is full, `invalid_value` for a text that the engine cannot keep, `internal` otherwise
  /// (logged by the engine; the detail never reaches a client). After an error a unit of work that
  /// writes must fail too.
  virtual Result<std::int64_t> run(sql::Statement const& statement, std::span<Param const> params,
                                   Each const& each) = 0;

  Result<std::int64_t> run(sql::Statement const& statement, std::initializer_list<Param> params,
                           Each const& each = {}) {
    return run(statement, std::span(params.begin(), params.size()), each);
  }

  /// Runs one statement for each row of parameters, in order, as if by `run`; an engine across a
  /// network sends all of them at once. Returns the number of rows changed by all. After an error
  /// the unit of work must fail: some of them may have been done.
  virtual Result<std::int64_t> run_each(sql::Statement const& statement,
                                        std::span<Params const> rows) {
    std::int64_t changed = 0;
    for (auto const& row : rows)
      changed += TRY(run(statement, row, {}));
    return changed;
  }

  /// Where the text of statements that are put together at run time differs.
  [[nodiscard]] virtual Dialect const& dialect() const noexcept = 0;
};

} // namespace vitrine::store
