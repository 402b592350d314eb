// What travels between the wire (`net/`) and the code that answers (`api/`): heads, small bodies,
// replies, and the two ends of a large body. No HTTP library shows here.
#pragma once

#include "base/blocks.hpp"
#include "base/result.hpp"
#include "base/stored_bytes.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vitrine::net {

struct Header {
  std::string name;
  std::string value;
};

/// The head of a request as it arrived. Header names compare ignoring case.
struct RequestHead {
  std::string method; ///< as sent: "GET"
  std::string target; ///< as sent: path and query, still percent-encoded
  std::vector<Header> headers;
  std::string remote_address; ///< of the peer, without port
  bool tls{false};
  std::optional<std::uint64_t> content_length; ///< absent when chunked or without a body
  bool chunked{false};

  /// First value of a header, trimmed; nothing when absent.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// By its method, the request changes nothing (RFC 9110 9.2.1).
  [[nodiscard]] bool is_safe() const noexcept { return method == "GET" || method == "HEAD"; }
  [[nodiscard]] bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }
};

struct Request : RequestHead {
  std::string body; ///< whole, at most Route::body_bytes_max
};

/// A range of stored bytes that becomes the body.
class DataRange {
public:
  explicit DataRange(std::unique_ptr<StoredBytes> bytes)
      : bytes_(std::move(bytes)), length_(bytes_->size_bytes()) {}

  /// Keeps `length` bytes from `offset` of the whole.
  void narrow(std::uint64_t offset, std::uint64_t length) noexcept {
    offset_ = offset;
    length_ = length;
  }

  [[nodiscard]] StoredBytes& bytes() const noexcept { return *bytes_; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  [[nodiscard]] std::uint64_t length() const noexcept { return length_; }

private:
  std::unique_ptr<StoredBytes> bytes_;
  std::uint64_t offset_{0};
  std::uint64_t length_;
};

/// What a status is called (RFC 9110 15); empty for one that this server never answers.
std::string_view reason_phrase(int status) noexcept;

/// An answer. `net/` adds Date, Content-Length (or none on 204 and 304), Connection and Server-free
/// framing.
struct Reply {
  int status{200};
  std::string content_type; ///< empty: no Content-Type
  std::vector<Header> headers;
  std::string body;
  std::optional<DataRange> data; ///< when set, the body is this range and `body` is empty
  bool close{false};             ///< close the connection after this answer
};

/// Where the bytes of an upload go. Called from the transfer pool, one call at a time, in order;
/// `block` at any time from the loop.
/// Destroying a sink on which neither `finish` nor `abandon` was called abandons it.
class BodySink {
public:
  virtual ~BodySink() = default;
  /// Memory for bytes to come. Never blocks.
  virtual Block block() = 0;
  /// Takes the next bytes, in a block of `block`; blocking. An error ends the transfer: `net/`
  /// stops reading, calls `refuse` and closes the connection after the answer.
  virtual Result<> accept(Block bytes) = 0;
  /// How much longer the bytes may take to come, asked for from the loop at any time: `max` when
  /// that is nothing to the sink. Error: no longer, which ends the transfer as one of `accept`.
  [[nodiscard]] virtual Result<std::chrono::steady_clock::duration> time_left() const {
    return std::chrono::steady_clock::duration::max();
  }
  /// All bytes have arrived: does a step of the work that is left before `finish`, of the size of
  /// an `accept`, and tells whether there are more. Called until there are none; blocking. Errors
  /// as of `accept`.
  virtual Result<bool> go_on() { return false; }
  /// The next step asks another service: on the api pool, so that transfers do not wait for it.
  [[nodiscard]] virtual bool asks_others() const { return false; }
  /// All bytes have arrived, and no step is left; the answer. Blocking.
  virtual Reply finish() = 0;
  /// The answer to an error of `accept`; undoes what was stored.
  virtual Reply refuse(Error const& failure) = 0;
  /// The client vanished, was too slow, or sent a broken body (`invalid_body`), the server stops
  /// (`unavailable`), or it met a bug (`internal`). Undoes what was stored.
  virtual void abandon(Error const& failure) = 0;
};

/// A body up to this size is read whoever sends it, so that all connections together keep little:
/// some 30 KiB each. A longer one must be admitted first, and takes a share of
/// `ServerOptions::long_bodies_bytes_max`.
inline constexpr std::size_t kShortBodyBytes = 16U << 10U;

/// An answer up to this size is kept until its client has taken it. A longer one takes a share of
/// `ServerOptions::long_replies_bytes_max`. Bytes of `Reply::data` are never kept.
inline constexpr std::size_t kShortReplyBytes = 64U << 10U;

/// What `net/` must know of a request before it reads the body.
struct Route {
  std::size_t body_bytes_max{0}; ///< a longer body is refused with `Refusal::body_too_large`
  bool upload{false};            ///< the body goes to `Handler::begin_upload`, not to memory
  bool quick{false};             ///< a read of microseconds: may run on the io thread
  bool later{false};             ///< is given to `Handler::handle_later` first
  bool slow{false};              ///< computes for long: has a pool of its own, others need not wait
};

/// Why `net/` itself refuses; the handler turns it into an answer in the form of the API family.
enum class Refusal : std::uint8_t {
  malformed,          ///< 400, the connection closes
  target_too_long,    ///< 414, closes
  head_too_large,     ///< 431, closes
  length_required,    ///< 411, closes
  body_too_large,     ///< 413
  expectation_failed, ///< 417
  overloaded,         ///< 503, the pool's queue or the memory for long bodies or answers is full
  timed_out,          ///< 408, closes
  internal,           ///< 500, an exception escaped the handler
};

/// The code that answers. All members are thread-safe and may throw only bugs (caught by the
/// session: 500).
class Handler {
public:
  /// What makes an answer without waiting, or finds that there is none yet.
  using Answer = std::move_only_function<std::optional<Reply>()>;
  using OnAnswer = std::function<void(Answer)>;

  virtual ~Handler() = default;
  /// On the io thread; does no I/O.
  virtual Route route(RequestHead const& head) const noexcept = 0;
  /// Judges a request whose body is longer than `kShortBodyBytes` by its head, before the body is
  /// read: an answer ends it, else `handle` follows once the body is there. Blocking, on the api
  /// pool. Not called for uploads.
  virtual std::optional<Reply> admit(RequestHead const& head) = 0;
  /// Answers; blocking, on the api pool (or the slow one or the io thread, as `route` says; a long
  /// body has a pool of its own).
  virtual Reply handle(Request& request) = 0;
  /// Takes a request that waits for nothing but what others do, on the io thread and without
  /// waiting: true when `done` will be called, once, from another thread. The io thread makes the
  /// answer then; the request lives so long. Without one, and on false, `handle` follows.
  virtual bool handle_later(Request& request, OnAnswer done) = 0;
  /// Opens an upload or answers at once; blocking, on the api pool. Called before `100 Continue` is
  /// sent.
  virtual std::variant<Reply, std::unique_ptr<BodySink>> begin_upload(RequestHead const& head) = 0;
  /// Renders a refusal. `head` is null when no head could be parsed; of one that is too large it
  /// has the method and as much of the path as came within the limits.
  virtual Reply refuse(RequestHead const* head, Refusal refusal) = 0;
};

} // namespace vitrine::net
