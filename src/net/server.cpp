#include "net/server.hpp"

#include "base/text.hpp"
#include "net/loop.hpp"
#include "net/session.hpp"
#include "net/tls.hpp"
#include "ops/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <cstdio>
#include <fmt/core.h>
#include <future>
#include <mutex>
#include <sys/resource.h>

namespace vitrine::net {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using TlsContext = std::shared_ptr<asio::ssl::context>;

/// Wait before the next accept when descriptors or memory have run out.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

void report_to_standard_error(std::string_view line) {
  std::fprintf(stderr, "bug: %.*s\n", static_cast<int>(line.size()), line.data());
}

/// How many connections fit beside the files that they and the stores have open. Raises the soft
/// limit of the process when need be.
std::size_t connections_that_fit(ServerOptions const& options) {
  constexpr rlim_t descriptors_each = 2; // the socket, and the data that it carries
  constexpr rlim_t database_descriptors = 4;
  rlim_t const handlers = options.api_threads + options.slow_threads + options.long_body_threads;
  rlim_t const others = 64 + database_descriptors * handlers;
  rlim_t const wanted = others + descriptors_each * options.connections_max;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return options.connections_max;
  if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= wanted) return options.connections_max;
  rlim_t const left = limit.rlim_cur > others ? limit.rlim_cur - others : 0;
  auto const fit = std::max<std::size_t>(left / descriptors_each, 1);
  ops::log_warning("server.fewer_connections",
                   {{"wanted", static_cast<std::int64_t>(options.connections_max)},
                    {"connections", static_cast<std::int64_t>(fit)},
                    {"open_files_max", static_cast<std::int64_t>(limit.rlim_cur)}});
  return fit;
}

ServerOptions with_defaults(ServerOptions options) {
  if (!options.report_bug) options.report_bug = report_to_standard_error;
  options.io_threads = std::max(options.io_threads, 1U);
  options.api_threads = std::max(options.api_threads, 1U);
  options.slow_threads = std::max(options.slow_threads, 1U);
  options.long_body_threads = std::max(options.long_body_threads, 1U);
  options.transfer_threads = std::max(options.transfer_threads, 1U);
  options.connections_max = connections_that_fit(options);
  return options;
}

/// Many texts mean one address (`*`, `0` and `0:0::0` are all of them), so what is bound is told. A
/// name stays: a certificate may be made out to it.
std::string host_to_tell(std::string const& given, asio::ip::address bound) {
  if (bound.is_v6() && bound.to_v6().is_v4_mapped()) {
    bound = asio::ip::make_address_v4(asio::ip::v4_mapped, bound.to_v6());
  }
  // The last part of a name begins with a letter, that of `127.1` or `0x7f.1` never.
  char const begins = given[given.rfind('.') + 1];
  bool const is_name = text::is_alpha(begins) && given.find(':') == std::string::npos;
  return is_name && !bound.is_unspecified() ? given : bound.to_string();
}

/// Counts connections, so that one can wait for the last. Thread-safe.
class OpenConnections {
public:
  void began() {
    std::lock_guard const lock(mutex_);
    ++open_;
    ++total_;
  }
  void ended() {
    std::lock_guard const lock(mutex_);
    if (--open_ == 0) none_.notify_all();
  }
  bool wait_for_none(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, patience, [this] { return open_ == 0; });
  }
  void wait_for_none() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return open_ == 0; });
  }
  [[nodiscard]] std::uint64_t open() const {
    std::lock_guard const lock(mutex_);
    return open_;
  }
  [[nodiscard]] std::uint64_t total() const {
    std::lock_guard const lock(mutex_);
    return total_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable none_;
  std::uint64_t open_{0};
  std::uint64_t total_{0};
};

class ServerOnLoops final : public Server {
public:
  ServerOnLoops(ServerOptions options, Handler& handler, TlsContext tls)
      : core_(std::move(options), handler), tls_(std::move(tls)) {
    for (unsigned i = 0; i < core_.options.io_threads; ++i) {
      loops_.push_back(std::make_unique<Loop>(core_, [this] { connections_.ended(); }));
    }
  }

  ~ServerOnLoops() override {
    core_.draining = true;
    stop_accepting();
    for (auto const& loop : loops_)
      loop->stop_all();
    connections_.wait_for_none();
    // A thread may still be on its way out of a loop's queue.
    {
      std::lock_guard const lock(core_.coming_back);
    }
    core_.api.finish();
    core_.slow.finish();
    core_.bulky.finish();
    core_.transfer.finish();
  }

  Result<> listen();

  [[nodiscard]] std::uint16_t port() const noexcept override { return port_; }
  [[nodiscard]] std::string host() const override { return host_; }
  Result<> reload_certificate() override;
  bool drain(std::chrono::milliseconds patience) override;
  [[nodiscard]] ServerFigures figures() const noexcept override;

private:
  void accept_next();
  void accepted(Socket socket, Loop& loop);
  void stop_accepting();

  ServerCore core_;
  mutable std::mutex tls_mutex_;
  TlsContext tls_;
  OpenConnections connections_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<Acceptor> acceptor_; // used on the first loop only, once it accepts
  std::unique_ptr<asio::steady_timer> pause_;
  std::size_t next_loop_{0};
  std::uint16_t port_{0};
  std::string host_;
};

Result<> ServerOnLoops::listen() {
  ServerOptions const& options = core_.options;
  auto const failed = [&](boost::system::error_code const& failure) {
    return error(Fault::unavailable, fmt::format("cannot listen on {} port {}: {}", options.host,
                                                 options.port, failure.message()));
  };
  boost::system::error_code failure;
  asio::io_context& context = loops_.front()->context();
  asio::ip::tcp::resolver resolver(context);
  auto const found = resolver.resolve(options.host, std::to_string(options.port),
                                      asio::ip::resolver_base::passive, failure);
  if (failure || found.empty()) return failed(failure);
  asio::ip::tcp::endpoint const endpoint = found.begin()->endpoint();

  auto acceptor = std::make_unique<Acceptor>(context);
  acceptor->open(endpoint.protocol(), failure);
  if (failure) return failed(failure);
  acceptor->set_option(Acceptor::reuse_address(true), failure);
  if (!failure) acceptor->bind(endpoint, failure);
  if (!failure) acceptor->listen(Acceptor::max_listen_connections, failure);
  if (failure) return failed(failure);
  port_ = acceptor->local_endpoint().port();
  host_ = host_to_tell(options.host, acceptor->local_endpoint().address());
  acceptor_ = std::move(acceptor);
  pause_ = std::make_unique<asio::steady_timer>(context);
  asio::post(context, [this] { accept_next(); });
  return {};
}

void ServerOnLoops::accept_next() {
  if (!acceptor_) return;
  Loop& loop = *loops_[next_loop_];
  next_loop_ = (next_loop_ + 1) % loops_.size();
  auto const done = [this, &loop](boost::system::error_code const& failure, Socket socket) {
    if (failure == asio::error::operation_aborted) return;
    if (!failure) accepted(std::move(socket), loop);
    if (!failure || failure == asio::error::connection_aborted) return accept_next();
    pause_->expires_after(kAcceptPause);
    pause_->async_wait([this](boost::system::error_code const& cancelled) {
      if (!cancelled) accept_next();
    });
  };
  acceptor_->async_accept(loop.context().get_executor(), done);
}

void ServerOnLoops::accepted(Socket socket, Loop& loop) {
  // Beyond the cap the socket is closed at once: memory stays bounded and the client hears it soon.
  if (connections_.open() >= core_.options.connections_max) return;
  connections_.began();
  TlsContext tls;
  {
    std::lock_guard const lock(tls_mutex_);
    tls = tls_;
  }
  loop.adopt(std::move(socket), std::move(tls));
}

void ServerOnLoops::stop_accepting() {
  if (!acceptor_) return;
  std::promise<void> closed;
  asio::post(loops_.front()->context(), [&] {
    acceptor_.reset();
    pause_.reset();
    closed.set_value();
  });
  closed.get_future().wait();
}

Result<> ServerOnLoops::reload_certificate() {
  ServerOptions const& options = core_.options;
  if (options.certificate_file.empty()) return {};
  auto fresh = TRY(load_tls(options.certificate_file, options.key_file));
  std::lock_guard const lock(tls_mutex_);
  tls_ = std::move(fresh);
  return {};
}

bool ServerOnLoops::drain(std::chrono::milliseconds patience) {
  core_.draining = true;
  stop_accepting();
  for (auto const& loop : loops_)
    loop->stop_idle();
  return connections_.wait_for_none(patience);
}

ServerFigures ServerOnLoops::figures() const noexcept {
  ServerFigures figures;
  figures.connections_open = connections_.open();
  figures.connections_total = connections_.total();
  figures.api_queue = core_.api.queued() + core_.slow.queued() + core_.bulky.queued();
  for (auto const& loop : loops_) {
    figures.bytes_received += loop->traffic().received.load(std::memory_order_relaxed);
    figures.bytes_sent += loop->traffic().sent.load(std::memory_order_relaxed);
  }
  return figures;
}

} // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler& handler) {
  TlsContext tls;
  if (!options.certificate_file.empty() || !options.key_file.empty()) {
    tls = TRY(load_tls(options.certificate_file, options.key_file));
  }
  auto server = std::make_unique<ServerOnLoops>(with_defaults(std::move(options)), handler, tls);
  TRY(server->listen());
  return std::unique_ptr<Server>(std::move(server));
}

} // namespace vitrine::net
