// A connection as bytes: plain or TLS, with a deadline that a sweep enforces. Lives on one loop.
#pragma once

#include "net/task.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vitrine::net {

using SteadyClock = std::chrono::steady_clock;

/// Bytes moved by the connections of one loop.
struct Traffic {
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> sent{0};
};

/// Why the last operation did not do its work.
enum class WireEnd : std::uint8_t {
  none,
  peer,        ///< the client closed, reset, or broke TLS
  expired,     ///< the deadline passed
  interrupted, ///< `interrupt` was called
  stopped,     ///< `stop` was called; nothing works any more
};

class Wire {
  // The socket while it is away from the reactor.
  struct Paused {
    Paused() = default;
    Paused(Paused&& other) noexcept
        : protocol(other.protocol), descriptor(std::exchange(other.descriptor, -1)) {}
    Paused& operator=(Paused&&) = delete;
    ~Paused();

    asio::ip::tcp protocol{asio::ip::tcp::v4()};
    int descriptor{-1};
  };

public:
  /// `tls` null: plain. `sent_per_second_min`: a client that takes fewer bytes of what is sent is
  /// stuck.
  Wire(Socket socket, std::shared_ptr<asio::ssl::context> tls, Traffic& traffic,
       std::uint64_t sent_per_second_min);

  /// Does the TLS handshake, if any.
  Task<bool> handshake();
  /// Bytes read, at least one; 0 when the wire ended, see `end`.
  Task<std::size_t> read_some(std::span<char> into);
  /// Sends both parts in one go if the kernel takes them; the number of bytes that went. TLS:
  /// always 0.
  std::size_t write_now(std::string_view first, std::string_view second);
  /// Sends all of both parts. `stall`: longest wait without progress.
  Task<bool> write(std::string_view first, std::string_view second, SteadyClock::duration stall);
  /// Waits until the socket takes bytes again, for direct use of `descriptor`.
  Task<bool> writable();
  /// Says goodbye. `linger`: the client may still be sending and must be able to read our answer
  /// first.
  Task<> close(bool linger, SteadyClock::duration patience);

  /// The deadline of what is awaited next; holds until changed.
  void arm(SteadyClock::duration patience) {
    deadline_ = std::min(SteadyClock::now() + patience, last_);
    stall_ = {};
  }
  /// The same for sending, but a client that goes on taking bytes gets another `stall`. The kernel
  /// asks for more only when a third of its buffer is free, which may be megabytes.
  void arm_sending(SteadyClock::duration stall);
  /// From now until `disarm` no deadline is put off beyond that.
  void end_within(SteadyClock::duration patience) { last_ = SteadyClock::now() + patience; }
  void disarm() { deadline_ = last_ = SteadyClock::time_point::max(); }
  /// Ends the pending operation when the deadline has passed. Called by the sweep.
  void expire(SteadyClock::time_point now);
  /// Leaves the reactor until `resume`: while nobody reads, each packet would wake the loop for
  /// nothing. No operation may be pending. TLS: does nothing.
  void pause();
  void resume();
  /// Ends the pending operation, if any.
  void interrupt() { cancel(WireEnd::interrupted); }
  /// Ends the pending operation and every later one.
  void stop();

  [[nodiscard]] WireEnd end() const noexcept { return end_; }
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  [[nodiscard]] bool is_tls() const noexcept { return context_ != nullptr; }
  [[nodiscard]] int descriptor() { return socket_.native_handle(); }
  [[nodiscard]] Traffic& traffic() noexcept { return traffic_; }
  /// Address of the peer without port; IPv4 in its plain form.
  [[nodiscard]] std::string peer_address() const;

private:
  bool begin();
  bool finished(boost::system::error_code const& failure);
  void cancel(WireEnd reason);
  int unsent_bytes();
  bool keeps_taking();
  Task<bool> write_tls(std::string_view bytes, SteadyClock::duration stall);
  Task<> discard_input(SteadyClock::duration patience);

  Socket socket_;
  std::shared_ptr<asio::ssl::context> context_;
  std::unique_ptr<asio::ssl::stream<Socket&>> tls_;
  Traffic& traffic_;
  std::uint64_t sent_per_second_min_;
  SteadyClock::duration stall_{}; // while sending: of the deadline
  int unsent_{0};                 // bytes in the kernel's buffer when it was set
  SteadyClock::time_point deadline_{SteadyClock::time_point::max()};
  SteadyClock::time_point last_{SteadyClock::time_point::max()}; // of any deadline
  WireEnd end_{WireEnd::none};
  WireEnd reason_{WireEnd::none}; // of the cancellation under way
  bool stopped_{false};
  Paused paused_;
};

} // namespace vitrine::net
