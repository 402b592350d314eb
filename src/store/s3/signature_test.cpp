#include "base/hash.hpp"
#include "store/s3/signature.hpp"

#include <gtest/gtest.h>

namespace vitrine::store::s3 {
namespace {

// The examples of the Amazon S3 API reference, "Signature Calculations: Transferring Payload in a
// Single Chunk": their account, bucket and moment.
Credentials const kAccount{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
constexpr Time kMoment{1'369'353'600'000'000}; // 2013-05-24T00:00:00Z
constexpr std::string_view kEmptySha =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string signature_of(ToSign request, std::string_view payload = "") {
  request.payload_sha256 = sha256_hex(payload);
  request.headers.push_back({"Host", "examplebucket.s3.amazonaws.com"});
  request.headers.push_back({"x-amz-content-sha256", request.payload_sha256});
  request.headers.push_back({"x-amz-date", format_date(kMoment)});
  auto const value = authorization(request, kAccount, "us-east-1", kMoment);
  return value.substr(value.rfind('=') + 1);
}

} // namespace

TEST(Signature, DatesHaveTheFormOfTheReference) {
  EXPECT_EQ(format_date(kMoment), "20130524T000000Z");
}

TEST(Signature, SignsAReadOfARange) {
  EXPECT_EQ(signature_of({.method = "GET",
                          .path = "/test.txt",
                          .query = {},
                          .headers = {{"Range", "bytes=0-9"}},
                          .payload_sha256 = {}}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Signature, SignsAWrite) {
  EXPECT_EQ(signature_of({.method = "PUT",
                          .path = encode_path("/test$file.text"),
                          .query = {},
                          .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                          .payload_sha256 = {}},
                         "Welcome to Amazon S3."),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(Signature, SignsASubresourceWithoutAValue) {
  EXPECT_EQ(signature_of({.method = "GET",
                          .path = "/",
                          .query = {{"lifecycle", ""}},
                          .headers = {},
                          .payload_sha256 = {}}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(Signature, SignsAListWhoseQueryComesInAnyOrder) {
  EXPECT_EQ(signature_of({.method = "GET",
                          .path = "/",
                          .query = {{"prefix", "J"}, {"max-keys", "2"}},
                          .headers = {},
                          .payload_sha256 = {}}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(Signature, NamesAccountScopeAndHeaders) {
  auto const value =
      authorization({.method = "GET",
                     .path = "/",
                     .query = {},
                     .headers = {{"X-Amz-Date", "20130524T000000Z"}, {"host", " a "}},
                     .payload_sha256 = std::string(kEmptySha)},
                    {"id", "secret"}, "eu-de", kMoment);
  EXPECT_TRUE(value.starts_with("AWS4-HMAC-SHA256 Credential=id/20130524/eu-de/s3/aws4_request,"
                                "SignedHeaders=host;x-amz-date,Signature="));
  EXPECT_EQ(value.find("secret"), std::string::npos);
}

TEST(Signature, EncodesPathsAndQueries) {
  EXPECT_EQ(encode_path("/a b/c+d/ü"), "/a%20b/c%2Bd/%C3%BC");
  EXPECT_EQ(encode_query({{"b", "x/y"}, {"a", "1&2"}, {"A", ""}}), "A=&a=1%262&b=x%2Fy");
}

} // namespace vitrine::store::s3
