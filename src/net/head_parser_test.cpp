#include "net/head_parser.hpp"

#include <gtest/gtest.h>

namespace vitrine::net {
namespace {

constexpr HeadLimits kLimits{.head_bytes_max = 2000, .target_bytes_max = 100, .headers_max = 5};

struct Parsed {
  HeadOutcome outcome;
  RequestHead head;
  HeadTraits traits;
};

Parsed parse(std::string_view bytes) {
  Parsed parsed;
  HeadScan scan;
  parsed.outcome = parse_head(bytes, scan, kLimits, parsed.head, parsed.traits);
  return parsed;
}

std::optional<Refusal> refusal_of(std::string_view bytes) {
  Parsed const parsed = parse(bytes);
  if (parsed.outcome.status != HeadStatus::refused) return std::nullopt;
  return parsed.outcome.refusal;
}

TEST(HeadParser, ReadsAHead) {
  std::string_view const head =
      "PUT /v2/images/x/file?a=%20b HTTP/1.1\r\nHost: [::1]:9292\r\n"
      "X-Auth-Token: \t abc def \t\r\nContent-Length: 12\r\nEmpty:\r\n\r\n";
  std::string const bytes = std::string(head) + "body";
  Parsed const parsed = parse(bytes);
  ASSERT_EQ(parsed.outcome.status, HeadStatus::complete);
  EXPECT_EQ(parsed.outcome.length, head.size());
  EXPECT_EQ(parsed.head.method, "PUT");
  EXPECT_EQ(parsed.head.target, "/v2/images/x/file?a=%20b");
  ASSERT_EQ(parsed.head.headers.size(), 4U);
  EXPECT_EQ(parsed.head.headers[1].name, "X-Auth-Token");
  EXPECT_EQ(parsed.head.headers[1].value, "abc def");
  EXPECT_EQ(parsed.head.header("empty"), "");
  EXPECT_EQ(parsed.head.header("HOST"), "[::1]:9292");
  EXPECT_EQ(parsed.head.header("absent"), std::nullopt);
  EXPECT_EQ(parsed.head.content_length, 12U);
  EXPECT_FALSE(parsed.head.chunked);
  EXPECT_TRUE(parsed.traits.keep_alive);
}

TEST(HeadParser, ReadsAHeadByteByByte) {
  std::string_view const bytes = "\r\nGET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";
  HeadScan scan;
  RequestHead head;
  HeadTraits traits;
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    auto const outcome = parse_head(bytes.substr(0, size), scan, kLimits, head, traits);
    ASSERT_EQ(outcome.status, HeadStatus::incomplete) << size;
  }
  auto const outcome = parse_head(bytes, scan, kLimits, head, traits);
  EXPECT_EQ(outcome.status, HeadStatus::complete);
  EXPECT_EQ(outcome.length, bytes.size());
  EXPECT_EQ(head.headers.size(), 2U);
}

TEST(HeadParser, LeavesNothingOfTheHeadBefore) {
  RequestHead head;
  HeadTraits traits;
  HeadScan first;
  parse_head("POST /a HTTP/1.0\r\nA: 1\r\nB: 2\r\nContent-Length: 3\r\n\r\n", first, kLimits, head,
             traits);
  HeadScan second;
  auto const outcome =
      parse_head("GET /b HTTP/1.1\r\nHost: h\r\n\r\n", second, kLimits, head, traits);
  EXPECT_EQ(outcome.status, HeadStatus::complete);
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.headers.size(), 1U);
  EXPECT_EQ(head.content_length, std::nullopt);
  EXPECT_TRUE(traits.keep_alive);
}

std::string const kLine = "GET / HTTP/1.1\r\n";
std::string const kHost = "Host: a\r\n";

void expect_malformed(std::vector<std::string> const& heads) {
  for (std::string const& bytes : heads) {
    EXPECT_EQ(refusal_of(bytes), Refusal::malformed) << bytes;
  }
}

TEST(HeadParser, RefusesBodiesWithTwoReadings) {
  expect_malformed({
      // Two lengths, even equal ones; length and coding; codings other than chunked.
      kLine + kHost + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
      kLine + kHost + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
      kLine + kHost + "Content-Length: 1, 1\r\n\r\n",
      kLine + kHost + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      kLine + kHost + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
      kLine + kHost + "Transfer-Encoding: gzip, chunked\r\n\r\n",
      kLine + kHost + "Transfer-Encoding: identity\r\n\r\n",
      kLine + kHost + "Transfer-Encoding: xchunked\r\n\r\n",
      kLine + kHost + "Transfer-Encoding: chunked,\r\n\r\n",
      kLine + kHost + "Transfer-Encoding: \"chunked\"\r\n\r\n",
      kLine + kHost + "Transfer-Encoding:\r\n\r\n",
      kLine + kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      // Lengths that are no plain number.
      kLine + kHost + "Content-Length: +1\r\n\r\n",
      kLine + kHost + "Content-Length: -1\r\n\r\n",
      kLine + kHost + "Content-Length: 0x1\r\n\r\n",
      kLine + kHost + "Content-Length: 1 1\r\n\r\n",
      kLine + kHost + "Content-Length:\r\n\r\n",
      kLine + kHost + "Content-Length: 9999999999999999999\r\n\r\n",
      // HTTP/1.0 has no codings.
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
  });
}

TEST(HeadParser, RefusesLinesWithTwoReadings) {
  expect_malformed({
      // Line ends.
      "GET / HTTP/1.1\nHost: a\n\n",
      kLine + "Host: a\nA: b\r\n\r\n",
      kLine + "Host: a\r\n\n",
      kLine + "Host: a\rA: b\r\n\r\n",
      kLine + kHost + "A: b\r\r\n\r\n",
      "GET / HTTP/1.1\rHost: a\r\n\r\n",
      "\n" + kLine + kHost + "\r\n",
      "\r\n\r\n" + kLine + kHost + "\r\n",
      // Header lines.
      kLine + "Host : a\r\n\r\n",
      kLine + kHost + "A\t: b\r\n\r\n",
      kLine + kHost + " A: b\r\n\r\n",
      kLine + kHost + "A: b\r\n c\r\n\r\n",
      kLine + kHost + "A: b\r\n\tc\r\n\r\n",
      kLine + kHost + ": b\r\n\r\n",
      kLine + kHost + "no colon\r\n\r\n",
      kLine + kHost + "A(b): c\r\n\r\n",
      kLine + kHost + std::string("A: b\0c\r\n\r\n", 11),
      kLine + kHost + "A: b\x01\r\n\r\n",
      kLine + kHost + "A: b\x7f\r\n\r\n",
      kLine + kHost + "\xc3\xa4: b\r\n\r\n",
      // Hosts.
      kLine + "A: b\r\n\r\n",
      kLine + kHost + kHost + "\r\n",
      kLine + kHost + "HOST: b\r\n\r\n",
      kLine + "Host: a b\r\n\r\n",
      kLine + "Host: a/b\r\n\r\n",
      kLine + "Host: u@a\r\n\r\n",
      kLine + "Host: [::1\r\n\r\n",
      kLine + "Host: [fe80::1%25eth0]\r\n\r\n",
      kLine + "Host: 1.2.3.4:80:80\r\n\r\n",
      kLine + "Host: x:99999\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: [::1\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
  });
}

TEST(HeadParser, RefusesOtherRequestLines) {
  expect_malformed({
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /\tb HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
      " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /\r\nHost: a\r\n\r\n",
      "GET HTTP/1.1\r\nHost: a\r\n\r\n",
      "/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
      std::string(33, 'G') + " / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n",
      "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /#part HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
      "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
      "GET / HTTP/01.1\r\nHost: a\r\n\r\n",
      "GET / http/1.1\r\nHost: a\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      // Another protocol is told at its first byte.
      "\x16\x03\x01",
  });
}

// RFC 9112 3.2.2: a server takes it although only proxies are sent it, and Host is overruled.
TEST(HeadParser, TakesThePathAndTheHostOfAnAbsoluteTarget) {
  for (auto const& [target, path] :
       {std::pair{"http://b:80/v2/images?limit=1", "/v2/images?limit=1"},
        std::pair{"HTTPS://b:80", "/"}, std::pair{"http://b:80?a=/", "/?a=/"}}) {
    Parsed const parsed =
        parse("GET " + std::string(target) + " HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n");
    ASSERT_EQ(parsed.outcome.status, HeadStatus::complete) << target;
    EXPECT_EQ(parsed.head.target, path);
    EXPECT_EQ(parsed.head.header("Host"), "b:80");
    EXPECT_EQ(parsed.head.header("X"), "y");
  }
}

TEST(HeadParser, AcceptsTheUnusualButClear) {
  for (std::string_view const bytes : {
           "GET / HTTP/1.1\r\nHost:\r\n\r\n",
           "GET /\xc3\xa4?q=\xff HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET //double HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
           "M-SEARCH / HTTP/1.1\r\nHost: a\r\nA: b:c\r\nA:d\r\n\r\n",
           "GET / HTTP/1.0\r\n\r\n",
       }) {
    EXPECT_EQ(parse(bytes).outcome.status, HeadStatus::complete) << bytes;
  }
}

TEST(HeadParser, HoldsTheLimits) {
  std::string const rest = " HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(refusal_of("GET /" + std::string(99, 'a') + rest), std::nullopt);
  EXPECT_EQ(refusal_of("GET /" + std::string(100, 'a') + rest), Refusal::target_too_long);
  // Not waiting for the end of a line that is too long already.
  EXPECT_EQ(refusal_of("GET /" + std::string(200, 'a')), Refusal::target_too_long);

  std::string const start = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
  std::size_t const most = 2000 - start.size() - 4;
  EXPECT_EQ(refusal_of(start + std::string(most, 'a') + "\r\n\r\n"), std::nullopt);
  EXPECT_EQ(refusal_of(start + std::string(most + 1, 'a') + "\r\n\r\n"), Refusal::head_too_large);
  EXPECT_EQ(refusal_of(start + std::string(2000, 'a')), Refusal::head_too_large);

  std::string lines = "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n";
  EXPECT_EQ(refusal_of(lines + "\r\n"), std::nullopt);
  EXPECT_EQ(refusal_of(lines + "A: 5\r\n\r\n"), Refusal::head_too_large);
}

TEST(HeadParser, TellsThePathOfWhatIsTooLarge) {
  RequestHead head;
  HeadTraits traits;
  auto const told = [&](std::string const& bytes) -> std::string {
    HeadScan before;
    parse_head("PUT /before HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", before, kLimits,
               head, traits);
    HeadScan scan;
    if (!parse_head(bytes, scan, kLimits, head, traits).tells_path) return "nothing";
    EXPECT_TRUE(head.headers.empty());
    EXPECT_EQ(head.content_length, std::nullopt);
    return head.method + " " + head.target;
  };
  std::string const rest = " HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string const many(200, 'a');
  EXPECT_EQ(told("GET /v1/x?a=" + many + rest), "GET /v1/x");
  EXPECT_EQ(told("\r\nGET /v1/x?a=" + many), "GET /v1/x");
  EXPECT_EQ(told("GET /" + many + rest), "GET /" + std::string(99, 'a'));
  EXPECT_EQ(told("GET /v1/x?y HTTP/1.1\r\nHost: a\r\nA: " + std::string(3000, 'a')), "GET /v1/x");
  EXPECT_EQ(told("GET /b HTTP/1.1\r\nHost: a\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n"), "GET /b");
  EXPECT_EQ(told("GET http://a/" + many + rest), "nothing");
  EXPECT_EQ(told(many), "nothing");
  EXPECT_EQ(told("G\"T /" + many + rest), "nothing");
  EXPECT_EQ(told("GET /\x01" + many + rest), "nothing");
  EXPECT_EQ(told("GET /b HTTP/1.1\r\nno header\r\n\r\n"), "nothing");
}

TEST(HeadParser, TellsWhetherTheConnectionGoesOn) {
  auto const keeps = [](std::string const& version, std::string const& connection) {
    return parse("GET / " + version + "\r\nHost: a\r\nConnection: " + connection + "\r\n\r\n")
        .traits.keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1", "keep-alive"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Close"));
  EXPECT_FALSE(keeps("HTTP/1.1", "TE, close"));
  EXPECT_FALSE(keeps("HTTP/1.1", "keep-alive,close"));
  EXPECT_TRUE(keeps("HTTP/1.1", "closed"));
  EXPECT_TRUE(keeps("HTTP/1.0", "Keep-Alive"));
  EXPECT_FALSE(keeps("HTTP/1.0", "TE"));
}

TEST(HeadParser, TellsExpectations) {
  auto const traits = [](std::string const& version, std::string const& expectation) {
    return parse("PUT / " + version + "\r\nHost: a\r\nExpect: " + expectation + "\r\n\r\n").traits;
  };
  EXPECT_TRUE(traits("HTTP/1.1", "100-Continue").expects_continue);
  EXPECT_FALSE(traits("HTTP/1.1", "100-continue").expects_otherwise);
  EXPECT_TRUE(traits("HTTP/1.1", "101-dance").expects_otherwise);
  EXPECT_FALSE(traits("HTTP/1.0", "100-continue").expects_continue);
  EXPECT_FALSE(traits("HTTP/1.0", "x").expects_otherwise);
}

} // namespace
} // namespace vitrine::net
