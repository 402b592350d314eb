#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace vitrine {

TEST(Text, utf8_refuses_overlong_surrogate_and_cut_sequences) {
  EXPECT_TRUE(text::is_utf8("é名😀"));
  for (std::string_view bad :
       {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_FALSE(text::is_utf8(bad));
  }
  EXPECT_EQ(text::length_utf8("é名😀"), 3U);
}

TEST(Text, percent_decoding_refuses_cut_escapes) {
  EXPECT_EQ(text::percent_decode("a%20b%2Fc+d", false), "a b/c+d");
  EXPECT_EQ(text::percent_decode("a+b", true), "a b");
  EXPECT_EQ(text::percent_decode("%4", false), std::nullopt);
  EXPECT_EQ(text::percent_decode("%zz", false), std::nullopt);
}

TEST(Text, base64url_round_trips_and_has_one_text_per_value) {
  for (std::size_t n = 0; n < 70; ++n) {
    std::vector<std::uint8_t> bytes(n);
    for (std::size_t i = 0; i < n; ++i)
      bytes[i] = static_cast<std::uint8_t>(i * 37 + n);
    EXPECT_EQ(text::from_base64url(text::base64url(bytes)), bytes);
  }
  EXPECT_EQ(text::from_base64url("AB"), std::nullopt) << "left-over bits must be zero";
  EXPECT_EQ(text::from_base64url("A"), std::nullopt);
}

TEST(Ids, forms) {
  EXPECT_TRUE(is_uuid(new_uuid()));
  EXPECT_EQ(new_uuid()[14], '4');
  EXPECT_NE(new_uuid(), new_uuid());
  EXPECT_TRUE(is_job_id(new_hex_id()));
  EXPECT_FALSE(is_uuid("cirros"));
  EXPECT_FALSE(is_project_id(std::string(65, 'a')));
  EXPECT_FALSE(is_project_id("a b"));
}

TEST(Clock, times_round_trip_and_impossible_ones_are_refused) {
  auto const time = parse_time("2024-02-29T23:59:59.123456Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(format_seconds(*time), "2024-02-29T23:59:59Z");
  EXPECT_EQ(format_milliseconds(*time), "2024-02-29T23:59:59.123Z");
  EXPECT_EQ(format_microseconds(*time), "2024-02-29T23:59:59.123456Z");
  EXPECT_EQ(format_seconds(*parse_time("2020-01-01T00:00:00+02:00")), "2019-12-31T22:00:00Z");
  EXPECT_EQ(format_seconds(*parse_time("2020-01-01 00:00:00")), "2020-01-01T00:00:00Z");
  for (auto const* bad : {"2023-02-29T00:00:00Z", "2024-01-01T24:00:00Z", "notadate", "2024-01-01",
                          "2024-01-01T00:00:00.Z", "2020-01-01T00:00:00 02:00"}) {
    EXPECT_FALSE(parse_time(bad)) << bad;
  }
}

TEST(Json, writer_places_commas_and_escapes) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("a", "x\"\n\x01").key("b").begin_array().integer(1).null();
  writer.begin_object().end_object().end_array().field("c", true).end_object();
  EXPECT_EQ(out, R"({"a":"x\"\n\u0001","b":[1,null,{}],"c":true})");
}

TEST(Json, parse_refuses_invalid_utf8_and_deep_nesting) {
  EXPECT_TRUE(json::parse(R"({"a":[1e3]})"));
  EXPECT_FALSE(json::parse("\"\xff\""));
  EXPECT_FALSE(json::parse(std::string(40, '[')));
  EXPECT_FALSE(json::parse("NaN"));
  EXPECT_EQ(json::whole_number(*json::parse("1e3")), 1000);
  EXPECT_EQ(json::whole_number(*json::parse("1.5")), std::nullopt);
}

} // namespace vitrine
