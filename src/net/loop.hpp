// One thread of events and the sessions that live on it.
#pragma once

#include "net/reply_head.hpp"
#include "net/session.hpp"
#include "net/task.hpp"
#include "net/wire.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace vitrine::net {

class Loop {
public:
  /// `on_end` is called on the loop's thread after each session ended.
  Loop(ServerCore& core, std::function<void()> on_end);
  /// All sessions must have ended.
  ~Loop();
  Loop(Loop const&) = delete;
  Loop& operator=(Loop const&) = delete;

  [[nodiscard]] asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] Traffic const& traffic() const noexcept { return traffic_; }

  /// Any thread: starts a session on this loop.
  void adopt(Socket socket, std::shared_ptr<asio::ssl::context> tls);
  /// Any thread: ends the sessions without a request, or all of them. Later ones are not touched.
  void stop_idle();
  void stop_all();

private:
  void begin(Socket socket, std::shared_ptr<asio::ssl::context> tls);
  void end(Session* session);
  void sweep_later();

  ServerCore& core_;
  std::function<void()> on_end_;
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_{context_.get_executor()};
  asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor> sweep_{
      context_};
  SteadyClock::duration sweep_period_;
  std::vector<std::unique_ptr<Session>> sessions_;
  Traffic traffic_;
  DateLine date_;
  bool stopping_{false};
  std::thread thread_; // last: starts when all else is there
};

} // namespace vitrine::net
