// The query string of a request: decoded pairs in the order sent.
#pragma once

#include "base/result.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::api {

class Query {
public:
  using Pair = std::pair<std::string, std::string>;

  Query() = default;
  /// Decodes `a=b&c`. Error: `invalid_query` for a bad escape or text that is not UTF-8.
  static Result<Query> parse(std::string_view text);

  [[nodiscard]] std::vector<Pair> const& pairs() const noexcept { return pairs_; }
  /// The last value of a name, as Glance reads repeated parameters; nothing when absent.
  [[nodiscard]] std::optional<std::string_view> last(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  /// The pairs that have a value.
  [[nodiscard]] Query without_empty() const;
  /// The pairs of other names.
  [[nodiscard]] Query without(std::initializer_list<std::string_view> names) const;
  /// The query again, encoded, without the named parameter and with `name=value` at its end (paging
  /// links).
  [[nodiscard]] std::string with(std::string_view name,
                                 std::optional<std::string_view> value) const;

private:
  std::vector<Pair> pairs_;
};

} // namespace vitrine::api
