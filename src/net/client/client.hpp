// The outgoing HTTP/1.1 client: what drivers speak to Keystone and object stores with.
//
//   net::client::Client client({.ca_file = "/etc/ssl/own.pem"});
//   auto answer = TRY(client.send({.url = "https://host:5000/v3/auth/tokens",
//                                  .headers = {{"X-Auth-Token", token}}}));
//   if (answer.status == 200) use(answer.body);
//
// A call blocks until the answer is whole. Any status is an answer, also 3xx (redirects are never
// followed) and 5xx; an error means that there is none. Large bodies stream: `Request::upload` is
// read from as the peer takes bytes, `Request::download` is handed them as they come. Nothing is
// taken from the environment: no proxy, no .netrc. A request is sent again by itself only when a
// kept connection was closed before a byte of the answer came, and only if its body can be read
// again from the start. Errors name the peer and the reason, never a path, query or header.
#pragma once

#include "base/result.hpp"
#include "net/message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::net::client {

struct Options {
  std::string ca_file{}; ///< PEM; whose certificates are believed. Empty: those the system believes
  std::chrono::milliseconds connect_timeout{5000}; ///< name, connection and TLS together
  std::chrono::seconds idle_timeout{30};           ///< no byte in either direction for so long
  std::chrono::milliseconds total_timeout{0};      ///< for a whole exchange; 0: none
  std::size_t idle_connections_max{16};            ///< kept for later calls
};

/// Where the bytes of a large request body come from. Called on the thread of `Client::send`.
struct Upload {
  /// Fills the front of the span; how many bytes, 0 at the end. An error ends the exchange and is
  /// what `send` returns.
  std::function<Result<std::size_t>(std::span<std::byte>)> read;
  std::optional<std::uint64_t> length{}; ///< in bytes; absent: chunked
  /// Goes back to the first byte. Unset: the body can be read once only.
  std::function<Result<>()> rewind{};
};

struct Response {
  int status{0};
  std::vector<Header> headers; ///< in the order of the wire, values trimmed
  std::string body;            ///< empty when it went to `Request::download`

  /// First value of a header, whatever the case of its name; nothing when absent.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
};

struct Request {
  std::string method{"GET"};
  std::string url{};             ///< http or https, sent as written: `..` and %XX stay
  std::vector<Header> headers{}; ///< Host, Content-Length and framing are added
  /// A body in memory; must live as long as the call. A length goes with it when it is not empty or
  /// the method is POST, PUT or PATCH.
  std::string_view body{};
  std::optional<Upload> upload{}; ///< instead of `body`
  /// Takes the body of a 2xx answer, whose status and headers are there by then. An error ends the
  /// exchange and is what `send` returns. Other answers keep their body, so that it can be read.
  std::function<Result<>(Response const& head, std::span<std::byte const> bytes)> download{};
  std::size_t response_bytes_max{1U << 20U}; ///< of `Response::body`
  /// In place of those of the client when set.
  std::optional<std::chrono::milliseconds> total_timeout{};
};

/// Thread-safe: as many exchanges at once as there are callers; connections are kept and used
/// again. The process ignores SIGPIPE where this is used with TLS.
class Client {
public:
  explicit Client(Options options);
  ~Client();

  /// Errors: `unavailable` when no whole answer came (no connection, an untrusted certificate, a
  /// timeout, a cut); `too_large` when the head is larger than 64 KiB or the body than
  /// `response_bytes_max`; `invalid_value` for a URL or header that cannot be sent; those of the
  /// request's own functions.
  [[nodiscard]] Result<Response> send(Request const& request);

private:
  class Handles;

  Options const options_;
  std::unique_ptr<Handles> handles_;
};

} // namespace vitrine::net::client
