#include "base/json.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>

namespace vitrine::json {
namespace {

std::string as_json(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

std::string escape_of(int byte) {
  switch (byte) {
  case '"': return "\\\"";
  case '\\': return "\\\\";
  case '\n': return "\\n";
  case '\r': return "\\r";
  case '\t': return "\\t";
  default: break;
  }
  return byte < 0x20 ? fmt::format("\\u{:04x}", byte) : std::string(1, static_cast<char>(byte));
}

} // namespace

TEST(Json, each_byte_is_escaped_where_it_must_be_at_each_place) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t before = 0; before < 18; ++before) {
      for (std::size_t const after : {0U, 1U, 7U, 9U}) {
        auto const text =
            std::string(before, '~') + static_cast<char>(byte) + std::string(after, ' ');
        auto const expected =
            '"' + std::string(before, '~') + escape_of(byte) + std::string(after, ' ') + '"';
        ASSERT_EQ(as_json(text), expected) << byte << " after " << before;
      }
    }
  }
}

TEST(Json, neighbours_are_escaped_each) {
  EXPECT_EQ(as_json("\"\"\\\n\n\"abcdefgh\""), R"("\"\"\\\n\n\"abcdefgh\"")");
  EXPECT_EQ(as_json(""), R"("")");
}

TEST(Json, what_is_taken_out_of_a_long_text_outlives_it) {
  std::string const text(100'000, 'x');
  auto const taken = [&] {
    auto value = parse(fmt::format(R"({{"long":"{}","other":[1,{{"a":"b"}}]}})", text));
    EXPECT_TRUE(value);
    return std::pair(std::move(value->at("long")), value->at("other"));
  }();
  EXPECT_TRUE(view(taken.first.get_string()) == text);
  EXPECT_EQ(to_text(taken.second), R"([1,{"a":"b"}])");
}

} // namespace vitrine::json
