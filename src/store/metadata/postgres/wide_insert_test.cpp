#include "store/metadata/postgres/wide_insert.hpp"

#include <gtest/gtest.h>

namespace vitrine::store::postgres {

TEST(WideInsertTest, rows_take_their_own_parameters) {
  EXPECT_EQ(widen("INSERT INTO t (a, b, c) VALUES ($1, 'x', $2) ON CONFLICT (a) DO NOTHING", 2, 3),
            "INSERT INTO t (a, b, c) VALUES ($1, 'x', $2), ($3, 'x', $4), ($5, 'x', $6) "
            "ON CONFLICT (a) DO NOTHING");
  EXPECT_TRUE(widen("INSERT INTO t (a, b) VALUES ($1, $1)", 1, 12)
                  .ends_with("($9, $9), ($10, $10), ($11, $11), ($12, $12)"));
}

TEST(WideInsertTest, other_statements_are_left_alone) {
  EXPECT_EQ(widen("UPDATE t SET a = $1", 1, 2), "");
  EXPECT_EQ(widen("INSERT INTO t SELECT $1", 1, 2), "");
  EXPECT_EQ(widen("INSERT INTO t (a) VALUES (lower($1))", 1, 2), "");
}

} // namespace vitrine::store::postgres
