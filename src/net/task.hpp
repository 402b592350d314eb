// The vocabulary of the coroutines in `net/`: nothing outside this folder may include it.
//
// g++ 12 destroys some temporaries of a `co_await` expression twice: everything with a destructor
// that goes into one is a named variable first.
#pragma once

// ThreadSanitizer does not know fences. Asio's only repeat what its queue's mutex orders already.
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

namespace vitrine::net {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
template <class T = void>
using Task = asio::awaitable<T, Executor>;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
inline constexpr asio::use_awaitable_t<Executor> use_task{};

/// One coroutine waits, one event opens; both on the same loop. Usable again after each wait.
class Gate {
public:
  void open() {
    open_ = true;
    if (auto waiter = std::exchange(waiter_, nullptr)) waiter();
  }

  Task<> wait() {
    if (!open_) {
      auto const initiate = [this](auto handler) { waiter_ = std::move(handler); };
      co_await asio::async_initiate<asio::use_awaitable_t<Executor> const, void()>(initiate,
                                                                                   use_task);
    }
    open_ = false;
  }

private:
  bool open_{false};
  std::move_only_function<void()> waiter_;
};

} // namespace vitrine::net
