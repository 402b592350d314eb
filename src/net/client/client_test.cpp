#include "base/ids.hpp"
#include "net/client/client.hpp"
#include "net/test_certificate.hpp"
#include "net/test_client.hpp"

#include <cstdlib>
#include <future>
#include <thread>

namespace vitrine::net::client {
namespace {

using namespace std::chrono_literals;
using net::testing::local_options;
using net::testing::reply;
using net::testing::TestHandler;

/// The server's view of a request; set apart from this folder's own Request.
using Seen = net::Request;

class ClientTest : public ::testing::Test {
protected:
  void start() { server_ = net::testing::start(local_options(), handler_); }
  [[nodiscard]] std::string url(std::string const& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  }

  TestHandler handler_;
  std::unique_ptr<Server> server_;
  Client client_{{}};
};

std::string text_of(std::span<std::byte const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// Hands out `text`, at most `part` bytes at a time.
Upload upload_of(std::string const& text, std::size_t part) {
  return {.read = [rest = std::string_view(text),
                   part](std::span<std::byte> room) mutable -> Result<std::size_t> {
            auto const next = rest.substr(0, std::min(part, room.size()));
            std::memcpy(room.data(), next.data(), next.size());
            rest.remove_prefix(next.size());
            return next.size();
          },
          .length = text.size(),
          .rewind = {}};
}

TEST_F(ClientTest, SendsWhatItIsToldAndReadsTheAnswer) {
  handler_.on_handle = [](Seen& seen) {
    auto answer = reply(404, seen.method + " " + seen.target + " " + seen.body);
    answer.headers.push_back({"X-Echo", std::string(*seen.header("X-Word"))});
    answer.headers.push_back({"X-Expect", seen.header("Expect") ? "some" : "none"});
    return answer;
  };
  start();
  auto const answer = client_.send({.method = "POST",
                                    .url = url("/a/../b%2Fc?q=1"),
                                    .headers = {{"X-Word", "one two"}},
                                    .body = "bytes"});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "POST /a/../b%2Fc?q=1 bytes");
  EXPECT_EQ(answer->header("x-echo"), "one two");
  EXPECT_EQ(answer->header("X-Expect"), "none");
  EXPECT_EQ(answer->header("X-Other"), std::nullopt);
}

TEST_F(ClientTest, FramesBodiesByTheirMethod) {
  handler_.on_handle = [](Seen& seen) {
    return reply(200, seen.method + " " + std::string(seen.header("Content-Length").value_or("-")));
  };
  start();
  for (auto const& [method, expected] :
       {std::pair("GET", "GET -"), {"DELETE", "DELETE -"}, {"PUT", "PUT 0"}, {"POST", "POST 0"}}) {
    auto const answer = client_.send({.method = method, .url = url()});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->body, expected);
  }
  auto const head = client_.send({.method = "HEAD", .url = url()});
  ASSERT_TRUE(head) << head.error().detail;
  EXPECT_EQ(head->header("Content-Length"), "6");
  EXPECT_EQ(head->body, "");
}

TEST_F(ClientTest, SendsAnEmptyHeader) {
  handler_.on_handle = [](Seen& seen) {
    return reply(200, seen.header("X-Empty") ? "there" : "absent");
  };
  start();
  auto const answer = client_.send({.url = url(), .headers = {{"X-Empty", ""}}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "there");
}

TEST_F(ClientTest, RefusesWhatWouldSmuggleALine) {
  start();
  for (auto const& header : {Header{"X-A", "1\r\nX-B: 2"}, {"X\n", "1"}, {"", "1"}}) {
    auto const refused = client_.send({.url = url(), .headers = {header}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::invalid_value);
  }
  auto const refused = client_.send({.url = url("/a\r\nX-B: 2")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::invalid_value);
  EXPECT_EQ(client_.send({.url = "file:///etc/passwd"}).error().fault, Fault::invalid_value);
}

TEST_F(ClientTest, KeepsItsConnection) {
  start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client_.send({.url = url()}));
    EXPECT_TRUE(client_.send({.method = "PUT", .url = url(), .body = "x"}));
  }
  EXPECT_EQ(server_->figures().connections_total, 1U);
}

TEST_F(ClientTest, ConnectsAgainAfterTheServerCameBack) {
  start();
  ASSERT_TRUE(client_.send({.url = url()}));
  auto options = local_options();
  options.port = server_->port();
  server_.reset();
  auto const refused = client_.send({.url = "http://127.0.0.1:" + std::to_string(options.port)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::unavailable);
  server_ = net::testing::start(options, handler_);
  auto const answer = client_.send({.method = "POST", .url = url("/again"), .body = "x"});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, "POST /again x");
}

TEST_F(ClientTest, ServesManyCallersAtOnce) {
  start();
  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      for (int j = 0; j < 20; ++j) {
        auto const path = "/" + std::to_string(i) + "/" + std::to_string(j);
        auto const answer = client_.send({.url = url(path)});
        if (answer && answer->body == "GET " + path + " ") ++good;
      }
    });
  }
  for (auto& caller : callers)
    caller.join();
  EXPECT_EQ(good, 160);
  EXPECT_LE(server_->figures().connections_total, 8U);
}

TEST_F(ClientTest, StreamsABodyOut) {
  handler_.on_route = [](RequestHead const&) { return Route{.body_bytes_max = 10U << 20U}; };
  handler_.on_handle = [](Seen& seen) {
    return reply(200, (seen.chunked ? "chunked " : "") + seen.body.substr(0, 4) + " " +
                          std::to_string(seen.body.size()));
  };
  start();
  std::string const text = "head" + std::string(3'000'000, 'x');
  auto upload = upload_of(text, 70'000);
  auto const sized = client_.send({.method = "PUT", .url = url(), .upload = upload});
  ASSERT_TRUE(sized) << sized.error().detail;
  EXPECT_EQ(sized->body, "head 3000004");
  upload.length.reset();
  auto const chunked = client_.send({.method = "PUT", .url = url(), .upload = upload});
  ASSERT_TRUE(chunked) << chunked.error().detail;
  EXPECT_EQ(chunked->body, "chunked head 3000004");
}

TEST_F(ClientTest, EndsWithTheFailureOfASource) {
  start();
  Upload const broken{.read = [](std::span<std::byte>) -> Result<std::size_t> {
                        return error(Fault::image_gone, "source");
                      },
                      .length = {},
                      .rewind = {}};
  auto const failed = client_.send({.method = "PUT", .url = url(), .upload = broken});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault, Fault::image_gone);
  EXPECT_EQ(failed.error().detail, "source");
}

TEST_F(ClientTest, StreamsABodyIn) {
  std::string const text = "head" + std::string(3'000'000, 'y');
  handler_.on_handle = [&](Seen& seen) {
    return reply(seen.target == "/there" ? 200 : 404, seen.target == "/there" ? text : "no");
  };
  start();
  std::string taken;
  Request request{
      .url = url("/there"),
      .download = [&](Response const& head, std::span<std::byte const> bytes) -> Result<> {
        EXPECT_EQ(head.status, 200);
        EXPECT_EQ(head.header("Content-Length"), "3000004");
        taken += text_of(bytes);
        return {};
      }};
  auto const there = client_.send(request);
  ASSERT_TRUE(there) << there.error().detail;
  EXPECT_EQ(taken, text);
  EXPECT_EQ(there->body, "");
  request.url = url("/elsewhere");
  auto const elsewhere = client_.send(request);
  ASSERT_TRUE(elsewhere);
  EXPECT_EQ(elsewhere->status, 404);
  EXPECT_EQ(elsewhere->body, "no");
  EXPECT_EQ(taken.size(), text.size());
}

TEST_F(ClientTest, EndsWithTheFailureOfATaker) {
  handler_.on_handle = [](Seen&) { return reply(200, std::string(3'000'000, 'y')); };
  start();
  int calls = 0;
  auto const failed = client_.send(
      {.url = url(), .download = [&](Response const&, std::span<std::byte const>) -> Result<> {
         ++calls;
         return error(Fault::store_full);
       }});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault, Fault::store_full);
  EXPECT_EQ(calls, 1);
}

TEST_F(ClientTest, BoundsTheAnswer) {
  handler_.on_handle = [](Seen& seen) {
    auto answer = reply(200, std::string(1000, 'z'));
    if (seen.target == "/heads") {
      for (int i = 0; i < 9; ++i)
        answer.headers.push_back({"X-Long", std::string(8000, 'h')});
    }
    return answer;
  };
  start();
  EXPECT_TRUE(client_.send({.url = url(), .response_bytes_max = 1000}));
  auto const longer = client_.send({.url = url(), .response_bytes_max = 999});
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().fault, Fault::too_large);
  auto const heads = client_.send({.url = url("/heads")});
  ASSERT_FALSE(heads);
  EXPECT_EQ(heads.error().fault, Fault::too_large);
}

TEST_F(ClientTest, DoesNotFollow) {
  handler_.on_handle = [this](Seen& seen) {
    EXPECT_EQ(seen.target, "/from");
    auto answer = reply(302, "");
    answer.headers.push_back({"Location", url("/to")});
    return answer;
  };
  start();
  auto const answer = client_.send({.url = url("/from")});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
}

TEST_F(ClientTest, TakesNoProxyFromTheEnvironment) {
  start();
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::setenv("all_proxy", "http://127.0.0.1:1", 1);
  auto const answer = client_.send({.url = url()});
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_TRUE(answer) << answer.error().detail;
}

TEST_F(ClientTest, SaysWhoDidNotAnswerAndNothingSecret) {
  start();
  auto const port = std::to_string(server_->port());
  server_.reset();
  auto const failed =
      client_.send({.url = "http://user:secret@127.0.0.1:" + port + "/p?sig=secret"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().fault, Fault::unavailable);
  EXPECT_EQ(failed.error().detail, "127.0.0.1:" + port + ": Couldn't connect to server");
}

// The second request ended the process.
TEST_F(ClientTest, GoesOnAfterANameThatDoesNotResolve) {
  std::string const no_name = std::string(64, 'x') + ".invalid"; // no label is that long
  for (int i = 0; i < 3; ++i) {
    auto const failed = client_.send({.url = "https://" + no_name + "/"});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().fault, Fault::unavailable);
    EXPECT_EQ(failed.error().detail, "https://" + no_name + ": Couldn't resolve host name");
  }
  start();
  EXPECT_TRUE(client_.send({.url = url("/")}));
}

TEST_F(ClientTest, GivesUpInTime) {
  std::promise<void> release;
  auto const released = release.get_future().share();
  handler_.on_handle = [released](Seen&) {
    released.wait();
    return reply(200, "late");
  };
  start();
  auto const total = client_.send({.url = url("/secret"), .total_timeout = 50ms});
  auto const idle = Client({.idle_timeout = 1s}).send({.url = url("/secret")});
  release.set_value();
  for (auto const* failed : {&total, &idle}) {
    ASSERT_FALSE(*failed);
    EXPECT_EQ(failed->error().fault, Fault::unavailable);
    EXPECT_EQ(failed->error().detail,
              "http://127.0.0.1:" + std::to_string(server_->port()) + ": Timeout was reached");
  }
}

TEST_F(ClientTest, BelievesOnlyTheCertificatesItIsGiven) {
  auto const folder = std::filesystem::path(::testing::TempDir()) / ("client" + new_hex_id());
  std::filesystem::create_directory(folder);
  net::testing::Certificate const certificate(folder, "127.0.0.1");
  auto options = local_options();
  options.certificate_file = folder / "cert.pem";
  options.key_file = folder / "key.pem";
  server_ = net::testing::start(options, handler_);
  auto const https = "https://127.0.0.1:" + std::to_string(server_->port()) + "/tls";
  Client trusting({.ca_file = folder / "cert.pem"});
  auto const answer = trusting.send({.url = https});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, "GET /tls ");
  auto const refused = client_.send({.url = https});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::unavailable);
  EXPECT_NE(refused.error().detail.find("certificate"), std::string::npos)
      << refused.error().detail;
  std::filesystem::remove_all(folder);
}

} // namespace
} // namespace vitrine::net::client
