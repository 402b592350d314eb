#include "api/image/data/digest.hpp"

#include <gtest/gtest.h>
#include <string>

namespace vitrine::api::image {
namespace {

// Of "abc".
constexpr std::string_view kSha256 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
constexpr std::string_view kSha512 =
    "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";

// The algorithms with the beginning of each hash, or the failure.
std::string told(std::vector<net::Header> headers) {
  net::RequestHead head;
  head.headers = std::move(headers);
  auto const hashes = expected_hashes(head);
  if (!hashes) return hashes.error().detail;
  std::string out;
  for (auto const& [algorithm, value, field] : *hashes) {
    out.append(name_of(algorithm)).append(" ").append(value, 0, 8).append(" ").append(field);
    out += ';';
  }
  return out;
}

std::string item(std::string_view name, std::string_view base64) {
  return std::string(name) + "=:" + std::string(base64) + ":";
}

TEST(DigestTest, both_algorithms_and_both_fields_count) {
  EXPECT_EQ(told({}), "");
  EXPECT_EQ(told({{"Content-Digest", item("sha-256", kSha256)}}),
            "SHA-256 ba7816bf Content-Digest;");
  EXPECT_EQ(
      told({{"repr-digest", item("sha-512", kSha512) + " , " + item("sha-256", kSha256) + ";a=1"}}),
      "SHA-512 ddaf35a1 Repr-Digest;SHA-256 ba7816bf Repr-Digest;");
  EXPECT_EQ(told({{"Content-Digest", item("sha-256", kSha256)},
                  {"Content-Digest", item("SHA-512", kSha512)}}),
            "SHA-256 ba7816bf Content-Digest;SHA-512 ddaf35a1 Content-Digest;");
  auto const unpadded = kSha256.substr(0, kSha256.size() - 1);
  EXPECT_EQ(told({{"Content-Digest", item("sha-256", unpadded)}}),
            "SHA-256 ba7816bf Content-Digest;");
}

TEST(DigestTest, other_algorithms_are_left_out) {
  EXPECT_EQ(told({{"Content-Digest", "md5=:kAFQmDzST7DWlj99KOF/cg==:, unixsum=:x:, sha-512-256"}}),
            "");
  EXPECT_EQ(told({{"Digest", item("sha-256", kSha256)}}), "");
}

TEST(DigestTest, what_cannot_be_compared_is_refused) {
  constexpr std::string_view kRefused =
      "Content-Digest: sha-256 must be the base64 of 32 bytes between colons.";
  for (auto const& value :
       {std::string("sha-256"), std::string("sha-256="), std::string("sha-256=:"),
        std::string("sha-256=::"), "sha-256=" + std::string(kSha256), item("sha-256", kSha512),
        item("sha-256", "!"), item("sha-256", std::string(kSha256) + "=="),
        item("sha-256", "-" + std::string(kSha256.substr(1)))}) {
    EXPECT_EQ(told({{"Content-Digest", value}}), kRefused) << value;
  }
  EXPECT_EQ(told({{"Repr-Digest", item("sha-512", kSha256)}}),
            "Repr-Digest: sha-512 must be the base64 of 64 bytes between colons.");
}

} // namespace
} // namespace vitrine::api::image
