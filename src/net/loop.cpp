#include "net/loop.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <pthread.h>

namespace vitrine::net {
namespace {

/// Timeouts are enforced by a sweep: late by at most one period, and free for each request.
SteadyClock::duration sweep_period(ServerOptions const& options) {
  auto const shortest =
      std::min({options.idle_timeout, options.head_timeout, options.body_timeout});
  return std::clamp<SteadyClock::duration>(shortest / 4, std::chrono::milliseconds(5),
                                           std::chrono::seconds(1));
}

} // namespace

Loop::Loop(ServerCore& core, std::function<void()> on_end)
    : core_(core), on_end_(std::move(on_end)), sweep_period_(sweep_period(core.options)) {
  sweep_later();
  thread_ = std::thread([this] { context_.run(); });
  pthread_setname_np(thread_.native_handle(), "io");
}

Loop::~Loop() {
  context_.stop();
  thread_.join();
}

void Loop::adopt(Socket socket, std::shared_ptr<asio::ssl::context> tls) {
  auto start = [this, socket = std::move(socket), tls = std::move(tls)]() mutable {
    begin(std::move(socket), std::move(tls));
  };
  asio::post(context_, std::move(start));
}

void Loop::begin(Socket socket, std::shared_ptr<asio::ssl::context> tls) {
  Wire wire(std::move(socket), std::move(tls), traffic_, core_.options.body_bytes_per_second_min);
  sessions_.push_back(
      std::make_unique<Session>(core_, std::move(wire), context_.get_executor(), date_));
  Session* const session = sessions_.back().get();
  if (stopping_) session->stop();
  auto const ended = [this, session](std::exception_ptr const& bug) {
    if (bug) core_.options.report_bug("a connection ended by an exception");
    end(session);
  };
  asio::co_spawn(context_.get_executor(), session->run(), ended);
}

void Loop::end(Session* session) {
  auto const found = std::ranges::find(sessions_, session, &std::unique_ptr<Session>::get);
  std::swap(*found, sessions_.back());
  sessions_.pop_back();
  on_end_();
}

void Loop::stop_idle() {
  auto const stop = [this] {
    for (auto const& session : sessions_)
      session->stop_if_idle();
  };
  asio::post(context_, stop);
}

void Loop::stop_all() {
  auto const stop = [this] {
    stopping_ = true;
    for (auto const& session : sessions_)
      session->stop();
  };
  asio::post(context_, stop);
}

void Loop::sweep_later() {
  sweep_.expires_after(sweep_period_);
  sweep_.async_wait([this](boost::system::error_code const& failure) {
    if (failure) return;
    SteadyClock::time_point const now = SteadyClock::now();
    for (auto const& session : sessions_)
      session->expire(now);
    sweep_later();
  });
}

} // namespace vitrine::net
