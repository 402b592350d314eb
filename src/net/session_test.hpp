// For the tests of sessions: a server, and the requests they send.
#pragma once

#include "net/test_client.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace vitrine::net::testing {

inline std::string get(std::string const& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

inline std::string post(std::string const& headers, std::string const& body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

class SessionTest : public ::testing::Test {
protected:
  Client connect() {
    if (!server_) server_ = start(options_, handler_);
    return Client(server_->port());
  }

  TestHandler handler_;
  ServerOptions options_ = local_options();
  std::unique_ptr<Server> server_;
};

} // namespace vitrine::net::testing
