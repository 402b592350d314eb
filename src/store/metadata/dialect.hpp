// Where the engines' SQL differs beyond the texts of sql/*.sql.
#pragma once

#include <string_view>

namespace vitrine::store {

struct Dialect {
  /// Joins the table named next, ON following. SQLite then reads the tables in the order written,
  /// which is the order of the list; PostgreSQL finds that order by its statistics.
  std::string_view ordered_join;
  /// True when `{0}` is one of the texts of the JSON array that parameter `{1}` holds. One
  /// parameter, however many texts: a statement with one for each is slow to prepare.
  std::string_view is_in_array;
  /// Bytes of the text `{}`.
  std::string_view size_bytes;
  /// Where in the text `{0}` the text `{1}` begins, from 1; 0 when it does not occur.
  std::string_view position;
};

inline constexpr Dialect kSqliteDialect{.ordered_join = "CROSS JOIN",
                                        .is_in_array = "{0} IN (SELECT value FROM json_each({1}))",
                                        .size_bytes = "length(CAST({} AS BLOB))",
                                        .position = "instr({0}, {1})"};
// An array and no subquery: that would be one more join to plan.
inline constexpr Dialect kPostgresDialect{
    .ordered_join = "JOIN",
    .is_in_array = "{0} = ANY(ARRAY(SELECT jsonb_array_elements_text({1}::text::jsonb)))",
    .size_bytes = "octet_length({})",
    .position = "strpos({0}, {1})"};

} // namespace vitrine::store
