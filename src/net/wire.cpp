#include "net/wire.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace vitrine::net {
namespace {

/// A record holds at most 16 KiB of payload; head and body of a small answer share one.
constexpr std::size_t kRecordBytes = 16U << 10U;

iovec part(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()}; // sendmsg only reads
}

} // namespace

Wire::Wire(Socket socket, std::shared_ptr<asio::ssl::context> tls, Traffic& traffic,
           std::uint64_t sent_per_second_min)
    : socket_(std::move(socket)), context_(std::move(tls)), traffic_(traffic),
      sent_per_second_min_(sent_per_second_min) {
  boost::system::error_code ignored; // the socket may be gone already: the first read will tell
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.native_non_blocking(true, ignored);
}

std::string Wire::peer_address() const {
  boost::system::error_code failure;
  asio::ip::address address = socket_.remote_endpoint(failure).address();
  if (failure) return {};
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address.to_string();
}

bool Wire::begin() {
  reason_ = WireEnd::none;
  end_ = stopped_ ? WireEnd::stopped : WireEnd::none;
  return !stopped_;
}

bool Wire::finished(boost::system::error_code const& failure) {
  if (!failure) return true;
  bool const cancelled = failure == asio::error::operation_aborted && reason_ != WireEnd::none;
  end_ = cancelled ? reason_ : WireEnd::peer;
  return false;
}

void Wire::cancel(WireEnd reason) {
  reason_ = reason;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

int Wire::unsent_bytes() {
  int bytes = 0;
  return ::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

void Wire::arm_sending(SteadyClock::duration stall) {
  arm(stall);
  stall_ = stall;
  unsent_ = unsent_bytes();
}

/// Whether the client took enough since the deadline was set.
bool Wire::keeps_taking() {
  if (stall_ == SteadyClock::duration::zero()) return false;
  auto const milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(stall_).count();
  auto const wanted = static_cast<std::int64_t>(sent_per_second_min_) * milliseconds / 1000;
  return unsent_ - unsent_bytes() >= std::max<std::int64_t>(wanted, 1);
}

void Wire::expire(SteadyClock::time_point now) {
  if (now < deadline_) return;
  if (now < last_ && keeps_taking()) return arm_sending(stall_);
  disarm();
  cancel(WireEnd::expired);
}

void Wire::stop() {
  stopped_ = true;
  cancel(WireEnd::stopped);
}

Wire::Paused::~Paused() {
  if (descriptor >= 0) ::close(descriptor);
}

void Wire::pause() {
  if (tls_) return;
  boost::system::error_code failure;
  paused_.protocol = socket_.local_endpoint(failure).protocol();
  if (failure) return;
  int const released = socket_.release(failure);
  if (!failure) paused_.descriptor = released;
}

void Wire::resume() {
  if (paused_.descriptor < 0) return;
  boost::system::error_code failure;
  socket_.assign(paused_.protocol, paused_.descriptor, failure);
  if (!failure) paused_.descriptor = -1; // else the next read tells that the socket is gone
}

Task<bool> Wire::handshake() {
  if (!context_) co_return true;
  if (!begin()) co_return false;
  // Not before: it refers to the socket, and a wire moves until its session runs.
  tls_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, *context_);
  boost::system::error_code failure;
  auto token = asio::redirect_error(use_task, failure);
  co_await tls_->async_handshake(asio::ssl::stream_base::server, token);
  co_return finished(failure);
}

Task<std::size_t> Wire::read_some(std::span<char> into) {
  if (!begin()) co_return 0;
  boost::system::error_code failure;
  auto token = asio::redirect_error(use_task, failure);
  auto const buffer = asio::buffer(into.data(), into.size());
  std::size_t count = 0;
  if (tls_) {
    count = co_await tls_->async_read_some(buffer, token);
  } else {
    count = co_await socket_.async_read_some(buffer, token);
  }
  if (!finished(failure)) co_return 0;
  traffic_.received.fetch_add(count, std::memory_order_relaxed);
  co_return count;
}

std::size_t Wire::write_now(std::string_view first, std::string_view second) {
  if (tls_ || !begin()) return 0;
  std::array<iovec, 2> parts{part(first), part(second)};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = second.empty() ? 1 : 2;
  ssize_t const sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent <= 0) return 0; // a real failure comes back from the next attempt
  traffic_.sent.fetch_add(static_cast<std::uint64_t>(sent), std::memory_order_relaxed);
  return static_cast<std::size_t>(sent);
}

Task<bool> Wire::writable() {
  if (!begin()) co_return false;
  boost::system::error_code failure;
  auto token = asio::redirect_error(use_task, failure);
  co_await socket_.async_wait(Socket::wait_write, token);
  co_return finished(failure);
}

Task<bool> Wire::write(std::string_view first, std::string_view second,
                       SteadyClock::duration stall) {
  if (tls_) {
    if (first.size() + second.size() <= kRecordBytes) {
      std::string const record = std::string(first).append(second);
      co_return co_await write_tls(record, stall);
    }
    bool const begun = co_await write_tls(first, stall);
    co_return begun&& co_await write_tls(second, stall);
  }
  while (!first.empty() || !second.empty()) {
    std::size_t const sent = write_now(first, second);
    std::size_t const of_first = std::min(sent, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(sent - of_first);
    if (sent > 0) continue;
    if (end_ == WireEnd::none && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      end_ = WireEnd::peer;
    }
    if (end_ != WireEnd::none) co_return false;
    arm_sending(stall);
    bool const ready = co_await writable();
    if (!ready) co_return false;
  }
  co_return true;
}

Task<bool> Wire::write_tls(std::string_view bytes, SteadyClock::duration stall) {
  while (!bytes.empty()) {
    if (!begin()) co_return false;
    arm_sending(stall);
    boost::system::error_code failure;
    auto token = asio::redirect_error(use_task, failure);
    auto const buffer = asio::buffer(bytes.data(), bytes.size());
    std::size_t const sent = co_await tls_->async_write_some(buffer, token);
    if (!finished(failure)) co_return false;
    traffic_.sent.fetch_add(sent, std::memory_order_relaxed);
    bytes.remove_prefix(sent);
  }
  co_return true;
}

Task<> Wire::close(bool linger, SteadyClock::duration patience) {
  if (tls_ && end_ == WireEnd::none && begin()) {
    arm(patience);
    boost::system::error_code failure;
    auto token = asio::redirect_error(use_task, failure);
    // Waits for the client's own goodbye too; without one the deadline ends it.
    co_await tls_->async_shutdown(token);
  }
  boost::system::error_code ignored;
  if (linger && !stopped_) {
    socket_.shutdown(Socket::shutdown_send, ignored);
    co_await discard_input(patience);
  }
  disarm();
  socket_.close(ignored);
}

Task<> Wire::discard_input(SteadyClock::duration patience) {
  auto const sink = std::make_unique_for_overwrite<char[]>(kRecordBytes);
  auto const buffer = asio::buffer(sink.get(), kRecordBytes);
  SteadyClock::time_point const last = SteadyClock::now() + 8 * patience;
  while (begin() && SteadyClock::now() < last) {
    arm(patience);
    boost::system::error_code failure;
    auto token = asio::redirect_error(use_task, failure);
    co_await socket_.async_read_some(buffer, token);
    if (failure) break;
  }
}

} // namespace vitrine::net
