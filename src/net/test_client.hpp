// For the tests of this folder: a raw client that sends exactly what a test says, and a handler
// made of lambdas.
#pragma once

#include "net/message.hpp"
#include "net/server.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <gtest/gtest.h>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace vitrine::net::testing {

struct Answer {
  int status{0}; ///< 0: the connection ended before an answer
  std::string head;
  std::string body;

  [[nodiscard]] std::string header(std::string const& name) const {
    std::size_t const at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    std::size_t const from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

/// One connection. Every wait ends after ten seconds, so that a hanging server is a failed test.
class Client {
public:
  explicit Client(std::uint16_t port, bool ipv6 = false) {
    descriptor_ = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval const patience{10, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    int const on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (ipv6) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_addr = in6addr_loopback;
      address.sin6_port = htons(port);
      connect_to(&address, sizeof(address));
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(port);
      connect_to(&address, sizeof(address));
    }
  }
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;
  ~Client() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// False when the server does not take it all.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t const sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// The next answer; `headless` when it answers a HEAD request.
  Answer read(bool headless = false) {
    Answer answer;
    std::size_t end = 0;
    while ((end = held_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return answer;
    }
    answer.head = held_.substr(0, end + 2);
    held_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    std::string const length_text = answer.header("Content-Length");
    std::size_t const length = length_text.empty() || headless ? 0 : std::stoul(length_text);
    while (held_.size() < length) {
      if (!more()) break;
    }
    answer.body = held_.substr(0, length);
    held_.erase(0, length);
    return answer;
  }

  Answer ask(std::string_view request) {
    send(request);
    return read();
  }

  /// True when the server closes without another byte.
  bool closed() {
    if (!held_.empty()) return false;
    char byte = 0;
    ssize_t const got = ::recv(descriptor_, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

  /// True when the peer takes no more bytes for a while: its buffers and ours are full.
  bool blocked() {
    pollfd watched{descriptor_, POLLOUT, 0};
    return ::poll(&watched, 1, 200) == 0;
  }

  /// Keeps the kernel from taking an answer in for a client that does not read.
  void take_little() {
    int const bytes = 512 << 10;
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  }

  void shut_sending() { ::shutdown(descriptor_, SHUT_WR); }

  /// Ends the connection with a reset.
  void reset() {
    linger const at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    ::close(std::exchange(descriptor_, -1));
  }

private:
  template <class Address>
  void connect_to(Address* address, socklen_t length) {
    int const failed = ::connect(descriptor_, reinterpret_cast<sockaddr*>(address), length);
    EXPECT_EQ(failed, 0) << std::strerror(errno);
  }

  bool more() {
    std::array<char, 65536> part{};
    ssize_t const got = ::recv(descriptor_, part.data(), part.size(), 0);
    if (got <= 0) return false;
    held_.append(part.data(), static_cast<std::size_t>(got));
    return true;
  }

  int descriptor_{-1};
  std::string held_;
};

/// Values one thread puts in and another waits for, ten seconds at most.
template <class T>
class Mailbox {
public:
  void put(T value) {
    std::lock_guard const lock(mutex_);
    values_.push_back(std::move(value));
    arrived_.notify_all();
  }
  std::optional<T> take() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, std::chrono::seconds(10), [this] { return !values_.empty(); })) {
      return std::nullopt;
    }
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }
  [[nodiscard]] bool empty() {
    std::lock_guard const lock(mutex_);
    return values_.empty();
  }

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<T> values_;
};

inline Reply reply(int status, std::string body) {
  Reply answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

/// Answers "METHOD TARGET BODY"; each member may be replaced before the server starts.
class TestHandler final : public Handler {
public:
  using Opened = std::variant<Reply, std::unique_ptr<BodySink>>;

  std::function<Route(RequestHead const&)> on_route = [](RequestHead const& head) {
    return Route{
        .body_bytes_max = 1000, .upload = false, .quick = head.target.starts_with("/quick")};
  };
  std::function<Reply(Request&)> on_handle = [](Request& request) {
    return reply(200, request.method + " " + request.target + " " + request.body);
  };
  std::function<bool(Request&, OnAnswer)> on_later = [](Request&, OnAnswer const&) {
    return false;
  };
  std::function<Opened(RequestHead const&)> on_begin;
  std::function<std::optional<Reply>(RequestHead const&)> on_admit = [](RequestHead const&) {
    return std::nullopt;
  };

  Route route(RequestHead const& head) const noexcept override { return on_route(head); }
  std::optional<Reply> admit(RequestHead const& head) override { return on_admit(head); }
  Reply handle(Request& request) override { return on_handle(request); }
  bool handle_later(Request& request, OnAnswer done) override {
    return on_later(request, std::move(done));
  }
  Opened begin_upload(RequestHead const& head) override { return on_begin(head); }
  Reply refuse(RequestHead const* head, Refusal refusal) override {
    Reply answer = reply(status_of(refusal), "refused");
    answer.headers.push_back({"X-Head", head == nullptr ? "none" : "known"});
    return answer;
  }

private:
  static int status_of(Refusal refusal) {
    switch (refusal) {
    case Refusal::malformed: return 400;
    case Refusal::target_too_long: return 414;
    case Refusal::head_too_large: return 431;
    case Refusal::length_required: return 411;
    case Refusal::body_too_large: return 413;
    case Refusal::expectation_failed: return 417;
    case Refusal::overloaded: return 503;
    case Refusal::timed_out: return 408;
    case Refusal::internal: return 500;
    }
    return 0;
  }
};

inline ServerOptions local_options() {
  ServerOptions options;
  options.port = 0;
  options.report_bug = [](std::string_view) {};
  return options;
}

inline std::unique_ptr<Server> start(ServerOptions options, Handler& handler) {
  auto server = Server::start(std::move(options), handler);
  if (!server) {
    ADD_FAILURE() << server.error().detail;
    return nullptr;
  }
  return std::move(*server);
}

/// Sends a byte every 20 ms until something is answered, which must be within ten seconds.
inline void trickle(Client& client) {
  pollfd answered{client.descriptor(), POLLIN, 0};
  int sent = 0;
  while (sent < 500 && ::poll(&answered, 1, 20) == 0) {
    client.send("x");
    ++sent;
  }
  EXPECT_LT(sent, 500);
}

} // namespace vitrine::net::testing
