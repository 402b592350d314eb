// Where the engines' SQL differs beyond the texts of sql/*.sql.
#pragma once

#include <string_view>

namespace vitrine::store {

struct Dialect {
  /// Joins the table named next, ON following. SQLite then reads the tables in the order written,
  /// which is the order of the list; PostgreSQL finds that order by its statistics.
  std::string_view ordered_join;
};

inline constexpr Dialect kSqliteDialect{.ordered_join = "CROSS JOIN"};
inline constexpr Dialect kPostgresDialect{.ordered_join = "JOIN"};

} // namespace vitrine::store
