#include "base/hash.hpp"
#include "identity/signature.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace vitrine::identity {
namespace {

constexpr char const* kHash = "of-the-body";
constexpr char const* kHeaders = "host:h\nx-sdk-date:20260102T030405Z\n";

net::RequestHead head_of(std::string method, std::string target, std::string authorization) {
  net::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  head.headers = {{"Host", "h"},
                  {"X-Sdk-Date", "20260102T030405Z"},
                  {"Authorization", std::move(authorization)}};
  return head;
}

std::string authorization(bool chained, std::string const& headers = "host;x-sdk-date") {
  return std::string("SDK-HMAC-SHA256 ") +
         (chained ? "Credential=AK/20260102///sdk_request" : "Access=AK") +
         ", SignedHeaders=" + headers + ", Signature=" + std::string(64, 'a');
}

std::string text_of(bool chained, std::string const& canonical) {
  return std::string("SDK-HMAC-SHA256\n20260102T030405Z\n") +
         (chained ? "20260102///sdk_request\n" : "") + sha256_hex(canonical);
}

struct Case {
  bool chained;
  char const* method;
  char const* target;
  char const* canonical_target; // path and query of the canonical request; null: refused
};

class SignatureCanon : public ::testing::TestWithParam<Case> {};

TEST_P(SignatureCanon, SignsThisText) {
  auto const& [chained, method, target, expected] = GetParam();
  auto const head = head_of(method, target, authorization(chained));
  auto const signature = read_signature(head);
  ASSERT_TRUE(signature);
  std::vector<std::string> const hashes = {kHash};
  auto const texts = signed_texts(*signature, head, hashes, true);
  if (expected == nullptr) {
    EXPECT_TRUE(texts.empty());
    return;
  }
  std::string const canonical =
      std::string(method) + "\n" + expected + "\n" + kHeaders + "\nhost;x-sdk-date\n" + kHash;
  EXPECT_EQ(texts, std::vector{text_of(chained, canonical)});
}

INSTANTIATE_TEST_SUITE_P(
    Paths, SignatureCanon,
    ::testing::Values(
        Case{false, "GET", "/", "/\n"}, Case{false, "GET", "/v2/images", "/v2/images/\n"},
        Case{false, "GET", "/v2/images/", "/v2/images/\n"},
        Case{false, "GET", "//v1//x", "//v1//x/\n"}, Case{false, "GET", "/v2//", "/v2//\n"},
        Case{false, "GET", "/a%2Fb", "/a/b/\n"}, Case{false, "GET", "/a%2fb%7Ec", "/a/b~c/\n"},
        Case{false, "GET", "/a+b%2Bc*", "/a%2Bb%2Bc%2A/\n"},
        Case{false, "GET", "/a%20b:c", "/a%20b%3Ac/\n"},
        Case{false, "GET", "/%C3%A4\xC3\xA4", "/%C3%A4%C3%A4/\n"},
        Case{true, "GET", "/a%2Fb%20c", "/a/b%20c/\n"}, Case{false, "GET", "/a%2", nullptr},
        Case{false, "GET", "/%zz", nullptr}));

INSTANTIATE_TEST_SUITE_P(
    Queries, SignatureCanon,
    ::testing::Values(Case{false, "GET", "/x?b=2&a=1", "/x/\na=1&b=2"},
                      Case{false, "GET", "/x?a=2&b=0&a=10&a=1", "/x/\na=1&a=10&a=2&b=0"},
                      Case{false, "GET", "/x?a=&b", "/x/\na=&b="},
                      Case{false, "GET", "/x?", "/x/\n"},
                      Case{false, "GET", "/x?&a=1&&b=2&", "/x/\na=1&b=2"},
                      Case{false, "GET", "/x?a=1=2", "/x/\na=1%3D2"},
                      Case{false, "GET", "/x?q=a+b", "/x/\nq=a%2Bb"},
                      Case{true, "GET", "/x?q=a+b", "/x/\nq=a%20b"},
                      Case{true, "GET", "/x?q=a%2Bb%2F%3F", "/x/\nq=a%2Bb%2F%3F"},
                      Case{false, "GET", "/x?__k=%E2%82%AC&%C3%A4=1",
                           "/x/\n__k=%E2%82%AC&%C3%A4=1"},
                      Case{false, "GET", "/x?B=1&a=2", "/x/\nB=1&a=2"},
                      Case{true, "GET", "/x?B=1&a=2", "/x/\na=2&B=1"},
                      Case{true, "GET", "/x?tag=b&tag=a", "/x/\ntag=b"},
                      Case{true, "DELETE", "/x?tag=b&tag=a", nullptr},
                      Case{false, "DELETE", "/x?tag=b&tag=a", "/x/\ntag=a&tag=b"},
                      Case{false, "GET", "/x?a=%G0", nullptr}));

std::vector<std::string> texts_with(bool chained, std::vector<net::Header> extra,
                                    std::string const& names) {
  auto head = head_of("GET", "/", authorization(chained, names));
  head.headers.insert(head.headers.end(), extra.begin(), extra.end());
  auto const signature = read_signature(head);
  std::vector<std::string> const hashes = {kHash};
  return signature ? signed_texts(*signature, head, hashes, true) : std::vector<std::string>{};
}

std::string with_agent(bool chained, std::string const& agent) {
  return text_of(chained, "GET\n/\n\nhost:h\nuser-agent:" + agent +
                              "\nx-sdk-date:20260102T030405Z\n\nhost;user-agent;x-sdk-date\n" +
                              kHash);
}

TEST(SignatureHeaders, AreTrimmedAndInFormBFolded) {
  std::string const names = "host;user-agent;x-sdk-date";
  std::vector<net::Header> const agent = {{"user-AGENT", "  go \t two  "}};
  EXPECT_EQ(texts_with(false, agent, names), std::vector{with_agent(false, "go \t two")});
  EXPECT_EQ(texts_with(true, agent, names), std::vector{with_agent(true, "go two")});
  EXPECT_EQ(texts_with(false, {{"User-Agent", ""}}, names), std::vector{with_agent(false, "")});
}

TEST(SignatureHeaders, MustBeThereOnceAndBindHostAndDate) {
  std::string const names = "host;user-agent;x-sdk-date";
  EXPECT_TRUE(texts_with(false, {}, names).empty());
  EXPECT_TRUE(texts_with(false, {{"User-Agent", "a"}, {"User-Agent", "b"}}, names).empty());
  EXPECT_TRUE(texts_with(false, {}, "x-sdk-date").empty());
  EXPECT_TRUE(texts_with(false, {}, "host").empty());
  EXPECT_EQ(texts_with(false, {}, "host;x-sdk-date").size(), 1U);
}

TEST(SignatureForms, APostWithoutBodyMayHashItsQueryInstead) {
  auto const head = head_of("POST", "/x?b=2&a=x+y&b=1%7E", authorization(true));
  std::vector<std::string> const hashes = {sha256_hex("")};
  auto const texts = signed_texts(*read_signature(head), head, hashes, false);
  auto const canonical = std::string("POST\n/x/\n\n") + kHeaders + "\nhost;x-sdk-date\n" +
                         sha256_hex("a=x+y&b=2&b=1~");
  EXPECT_EQ(texts, std::vector{text_of(true, canonical)});
  EXPECT_TRUE(signed_texts(*read_signature(head), head, hashes, true).empty());
}

TEST(SignatureForms, WhatIsNoSignatureIsNotRead) {
  std::string const mac = std::string(64, 'a');
  std::vector<std::string> const no_signatures = {
      std::string("Basic abc"),
      std::string("SDK-HMAC-SHA256"),
      std::string("SDK-HMAC-SHA256X a=b"),
      "SDK-HMAC-SHA256 Access=, SignedHeaders=host;x-sdk-date, Signature=" + mac,
      "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date",
      "SDK-HMAC-SHA256 Access=AK, Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + mac,
      "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + mac.substr(1),
      "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + mac + "aa",
      "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=z" + mac.substr(1),
      "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + mac + ", X=1",
      "SDK-HMAC-SHA256 Access=AK, Credential=AK/20260102///sdk_request, "
      "SignedHeaders=host;x-sdk-date, Signature=" +
          mac,
      "SDK-HMAC-SHA256 Credential=AK/20260103///sdk_request, "
      "SignedHeaders=host;x-sdk-date, Signature=" +
          mac,
      "SDK-HMAC-SHA256 Credential=AK/20260102//sdk_request, "
      "SignedHeaders=host;x-sdk-date, Signature=" +
          mac};
  for (auto const& wrong : no_signatures) {
    EXPECT_FALSE(read_signature(head_of("GET", "/", wrong))) << wrong;
  }
  for (std::string const date : {"2026-01-02T03:04:05Z", "20260102T030405", "20261302T030405Z",
                                 "20260102 030405Z", "20260102T030465Z", ""}) {
    auto head = head_of("GET", "/", authorization(false));
    head.headers[1].value = date;
    EXPECT_FALSE(read_signature(head)) << date;
  }
}

// Made by the signer of huaweicloudsdkcore 3.1.219 (form A), and by the steps of the contract
// (form B).
TEST(SignatureVectors, AreTheOnesOfTheClients) {
  std::string const body = R"({"images":[]})";
  auto head =
      head_of("POST", "/v1/cloudimages/members?a=x%20y%2Fz&b=2",
              "SDK-HMAC-SHA256 Access=AKEXAMPLE, "
              "SignedHeaders=content-type;host;user-agent;x-project-id;x-sdk-date, Signature="
              "8cfd836b9e5f342c9561b02b3491b4f3251b721d90bca222bd1f3a4947aaf1d2");
  head.headers[0].value = "images.example.org:9292";
  head.headers.push_back({"Content-Type", "application/json;charset=utf-8"});
  head.headers.push_back({"User-Agent", "two  spaces"});
  head.headers.push_back({"X-Project-Id", "p1"});
  std::vector<std::string> const hashes = {sha256_hex(body)};
  auto const a = read_signature(head);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->access_key, "AKEXAMPLE");
  auto const texts = signed_texts(*a, head, hashes, true);
  EXPECT_TRUE(is_signed_by("secret-of-the-key", *a, texts));
  EXPECT_FALSE(is_signed_by("secret-of-the-kez", *a, texts));
  head.headers[2].value = "SDK-HMAC-SHA256 Credential=AKEXAMPLE/20260102///sdk_request, "
                          "SignedHeaders=accept;content-type;host;user-agent;x-sdk-date, Signature="
                          "0f33bdc4e579966fa2746c5aa7666846efc8956e0c76c1707b37fee7805c9657";
  head.headers[3].value = "application/json";
  head.headers[4].value = "go  two";
  head.headers.push_back({"Accept", "application/json"});
  auto const b = read_signature(head);
  ASSERT_TRUE(b);
  auto const chained = signed_texts(*b, head, hashes, true);
  EXPECT_TRUE(is_signed_by("secret-of-the-key", *b, chained));
  EXPECT_FALSE(is_signed_by("", *b, chained));
  EXPECT_FALSE(is_signed_by("secret-of-the-key", *b, {}));
}

} // namespace
} // namespace vitrine::identity
