#include "base/authority.hpp"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

TEST(Authority, IsAHostWithOrWithoutAPort) {
  for (std::string_view const text :
       {"a", "a.b-c_d~", "image.example.com:9292", "1.2.3.4", "1.2.3.4:0", "a:", "a:65535",
        "a:00080", "[::1]", "[::1]:80", "[2001:DB8::1.2.3.4]:", "a!b,c;d=e", "%41b%c3%A4:1"}) {
    EXPECT_TRUE(is_authority(text)) << text;
  }
}

TEST(Authority, IsNothingElse) {
  for (std::string_view const text : {"",
                                      ":",
                                      ":80",
                                      "a:80:80",
                                      "1.2.3.4:80:80",
                                      "::1",
                                      "a:65536",
                                      "x:99999",
                                      "a:99999999999999999999",
                                      "a:+1",
                                      "a:-1",
                                      "a: 1",
                                      "a:x",
                                      "[::1",
                                      "[::1]80",
                                      "[::1]a",
                                      "[::1]]",
                                      "[]",
                                      "[",
                                      "]",
                                      "[1.2.3.4]",
                                      "[fe80::1%25eth0]",
                                      "[fe80::1%eth0]",
                                      "[v1.a]",
                                      "[::1]:65536",
                                      "[::g]",
                                      "a[::1]",
                                      "a b",
                                      "a/b",
                                      "a@b",
                                      "a?b",
                                      "a#b",
                                      "a%",
                                      "a%4",
                                      "a%4g",
                                      "a\\b",
                                      "a\"b",
                                      "\xc3\xa4"}) {
    EXPECT_FALSE(is_authority(text)) << text;
  }
  EXPECT_FALSE(is_authority(std::string_view("[::1\0]", 6)));
  EXPECT_FALSE(is_authority("[" + std::string(100, ':') + "]"));
}

} // namespace
} // namespace vitrine
