// What stands before a Barbican; what a real one answers is tested on a real one
// (tests/contract/test_barbican.py).
#include "net/test_client.hpp"
#include "store/keys/barbican/barbican.hpp"

#include <gtest/gtest.h>
#include <mutex>

namespace vitrine::store {
namespace {

using net::testing::reply;

struct OneToken final : model::ServiceTokens {
  Result<std::string> token() override { return std::string("token"); }
  void refused(std::string_view /*token*/) override {}
};

class BarbicanTest : public testing::Test {
protected:
  BarbicanTest() {
    handler_.on_handle = [this](net::Request&) {
      std::lock_guard const lock(mutex_);
      return reply(status_, body_);
    };
    server_ = net::testing::start(net::testing::local_options(), handler_);
  }

  /// What the state of a key is when everything is answered so.
  Result<KeyState> state(int status, std::string body) {
    {
      std::lock_guard const lock(mutex_);
      status_ = status;
      body_ = std::move(body);
    }
    Barbican barbican({.url = "http://127.0.0.1:" + std::to_string(server_->port())},
                      std::make_unique<OneToken>(), clock_);
    return barbican.state("00000000-0000-4000-8000-000000000001");
  }

  std::mutex mutex_;
  int status_{200};
  std::string body_;
  SystemClock clock_;
  net::testing::TestHandler handler_;
  std::unique_ptr<net::Server> server_;
};

} // namespace

TEST_F(BarbicanTest, AKeyIsMissingWhenBarbicanSaysSo) {
  for (int const status : {403, 404, 406}) {
    auto const body = R"({"code":)" + std::to_string(status) + R"(,"title":"T","description":"D"})";
    EXPECT_EQ(state(status, body).value(), KeyState::missing) << status;
  }
}

// Keys seemed to be gone, and jobs failed for it, while a proxy had no way to Barbican.
TEST_F(BarbicanTest, NobodyElseSaysThatAKeyIsMissing) {
  for (int const status : {403, 404, 406}) {
    for (auto const* body : {"<html>404 page not found</html>", "", "{}", R"({"code":"404"})",
                             R"({"code":200})", "[404]"}) {
      auto const told = state(status, body);
      ASSERT_FALSE(told) << status << body;
      EXPECT_EQ(told.error().fault, Fault::unavailable) << status << body;
    }
  }
}

} // namespace vitrine::store
