#include "store/metadata/postgres/wide_read.hpp"

#include <gtest/gtest.h>

namespace vitrine::store::postgres {

TEST(WideReadTest, parameters_come_from_the_arrays) {
  Params const row{"x", 1};
  EXPECT_EQ(widen_read("SELECT a FROM t WHERE a = $1 AND ($2 = 1 OR b = $1)", row),
            "SELECT found.*, k.place FROM unnest((SELECT $1::text::text[]), "
            "(SELECT $2::text::bigint[])) WITH ORDINALITY AS k(p1, p2, place) CROSS JOIN LATERAL "
            "(SELECT a FROM t WHERE a = k.p1 AND (k.p2 = 1 OR b = k.p1)) AS found");
}

TEST(WideReadTest, arrays_hold_any_text) {
  Params const first{"a,b{}", -5};
  Params const second{"", 7};
  Params const third{R"("\)", 0};
  std::span<Param const> const rows[] = {first, second, third};
  EXPECT_EQ(array_of(rows, 0), R"({"a,b{}","","\"\\"})");
  EXPECT_EQ(array_of(rows, 1), "{-5,7,0}");
}

} // namespace vitrine::store::postgres
