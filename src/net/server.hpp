// The HTTP/1.1 server: listens, parses, bounds, answers. RFC 9112 framing, strict.
#pragma once

#include "base/result.hpp"
#include "net/message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace vitrine::net {

/// Limits and places; every number is configurable through `ops/config`.
struct ServerOptions {
  std::string host{"127.0.0.1"}; ///< IPv4 or IPv6 address, or a name
  std::uint16_t port{9292};      ///< 0: the kernel picks
  std::string certificate_file;  ///< PEM; with `key_file` switches TLS on
  std::string key_file;
  unsigned io_threads{2};          ///< event loops
  unsigned api_threads{32};        ///< handlers at once; most of them wait for a commit
  unsigned transfer_threads{4};    ///< upload chunks being stored at once
  std::size_t api_queue_max{1024}; ///< waiting handlers; beyond it 503
  unsigned slow_threads{2};        ///< handlers of slow routes at once, beside the others
  /// Handlers of bodies beyond `kShortBodyBytes` at once, beside the others: parsed, a body may
  /// take 25 times its bytes, and no short request waits behind it.
  unsigned long_body_threads{2};
  /// Fewer when the process may not open two files for each (`ulimit -n`, raised as far as the hard
  /// limit allows): a flood of connections must not keep requests from their files.
  std::size_t connections_max{4096};
  std::size_t head_bytes_max{64U << 10U};
  std::size_t target_bytes_max{16U << 10U};
  std::size_t headers_max{256};
  /// Memory for bodies beyond `kShortBodyBytes`, over all connections, so that callers with a token
  /// cannot fill all of it either. 64 of the largest fit, more than threads work on at once. Beyond
  /// it 503.
  std::size_t long_bodies_bytes_max{64U << 20U};
  /// Memory for answers beyond `kShortReplyBytes` that their clients have yet to take, over all
  /// connections. A dozen of the largest (a page of images, a job with all its pairs) fit. Beyond
  /// it reads are answered 503. The last quarter is for answers to writes; one that finds no room
  /// there either ends its connection, since a 503 would deny what was done.
  std::size_t long_replies_bytes_max{64U << 20U};
  std::chrono::milliseconds idle_timeout{75'000}; ///< between requests on a kept connection
  std::chrono::milliseconds head_timeout{15'000}; ///< first byte to the end of the head
  std::chrono::milliseconds body_timeout{30'000}; ///< no byte of a body for so long
  /// Waiting for a body beyond `kShortBodyBytes` in all: who holds a share of the memory for them
  /// must not hold it for the 17 minutes that a mebibyte takes at the lowest speed.
  std::chrono::milliseconds long_body_timeout{60'000};
  /// Sending an answer beyond `kShortReplyBytes` in all, for the same reason.
  std::chrono::milliseconds long_reply_timeout{120'000};
  std::uint64_t body_bytes_per_second_min{1024};   ///< over body_timeout; slower ones are cut
  std::size_t transfer_chunk_bytes{Block::kBytes}; ///< handed on at once, a block at most
  /// Told of exceptions that escaped the handler, a line each, from any thread. Unset: standard
  /// error.
  std::function<void(std::string_view)> report_bug;
};

/// Figures for `/metrics`; a consistent snapshot is not promised.
struct ServerFigures {
  std::uint64_t connections_open{0};
  std::uint64_t connections_total{0};
  std::uint64_t api_queue{0};
  std::uint64_t bytes_received{0};
  std::uint64_t bytes_sent{0};
};

/// Lives from `start` to destruction. Thread-safe.
class Server {
public:
  /// Binds and starts to accept. Errors: `unavailable` when the address cannot be bound or the
  /// certificate cannot be read, with the reason in words. `handler` must outlive the server.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler& handler);
  /// Stops at once what still runs.
  virtual ~Server() = default;

  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
  /// The host for URLs, without brackets: the address that is bound (`0.0.0.0` or `::` for all), or
  /// the name of a host that was given for it.
  [[nodiscard]] virtual std::string host() const = 0;
  /// Reads the certificate files again; new connections use them. On an error the old ones stay.
  virtual Result<> reload_certificate() = 0;
  /// Stops accepting, closes idle connections, lets running requests finish (their answers carry
  /// `Connection: close`). True when all ended within `patience`.
  virtual bool drain(std::chrono::milliseconds patience) = 0;
  [[nodiscard]] virtual ServerFigures figures() const noexcept = 0;
};

} // namespace vitrine::net
