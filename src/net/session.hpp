// One connection from accept to close: reads heads and bodies, lets the handler answer, writes the
// answers. Lives on one loop; blocking work goes to the pools. Split by subject: session.cpp (the
// cycle of requests), body.cpp (small bodies), upload.cpp, download.cpp.
#pragma once

#include "net/body_budget.hpp"
#include "net/chunked.hpp"
#include "net/head_parser.hpp"
#include "net/input.hpp"
#include "net/message.hpp"
#include "net/pool.hpp"
#include "net/reply_head.hpp"
#include "net/server.hpp"
#include "net/task.hpp"
#include "net/wire.hpp"

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace vitrine::net {

/// What all sessions of a server share. Thread-safe.
struct ServerCore {
  ServerCore(ServerOptions given, Handler& handler);

  ServerOptions const options;
  Handler& handler;
  std::atomic<bool> draining{false}; ///< answers from now on end their connection
  BodyBudget long_bodies;
  BodyBudget long_replies;
  Pool api;
  Pool slow;
  Pool bulky; ///< for handlers of long bodies
  Pool transfer;
  std::mutex coming_back; ///< held while an answer that came later goes back to its loop
};

/// How reading a body went.
enum class Intake : std::uint8_t {
  whole,
  too_large,
  malformed, ///< broken chunk framing
  too_slow,
  gone,    ///< the client left, or the server stops
  refused, ///< by the handler, see `SmallBody::refusal`
  no_room, ///< for so long a body at present
};

/// Keeps the client to a minimum speed; counts only time in which we waited for it.
class BodyPace {
public:
  explicit BodyPace(ServerOptions const& options)
      : window_(options.body_timeout), bytes_per_second_min_(options.body_bytes_per_second_min) {}
  /// From now on the body is waited for so long in all, whatever its speed.
  void end_within(SteadyClock::duration left) { left_ = left; }
  /// How long to wait for the next bytes.
  [[nodiscard]] SteadyClock::duration patience() const { return std::min(window_, left_); }
  /// False when the client has been slower than the minimum over a whole window, or has no time
  /// left.
  bool keeps_up(std::size_t bytes, SteadyClock::duration waited);

private:
  SteadyClock::duration window_;
  std::uint64_t bytes_per_second_min_;
  SteadyClock::duration waited_{};
  SteadyClock::duration left_{SteadyClock::duration::max()};
  std::uint64_t bytes_{0};
};

class Session {
public:
  Session(ServerCore& core, Wire wire, Executor executor, DateLine& date);

  /// The whole life of the connection.
  Task<> run();
  /// Ends it as soon as what it waits for allows.
  void stop() { wire_.stop(); }
  /// Ends it when no request has begun.
  void stop_if_idle();
  void expire(SteadyClock::time_point now) { wire_.expire(now); }

private:
  struct Pump;
  struct Reading;
  struct SmallBody;

  Task<bool> serve_next();
  Task<HeadOutcome> await_head(HeadScan& scan);
  HeadOutcome try_head(HeadScan& scan);
  Task<bool> answer_small(Route const& route);
  Task<bool> answer_later(Reply& reply);
  Pool& pool_for(Route const& route);
  Task<bool> answer_upload();

  Task<Intake> read_body(SmallBody& body);
  Task<Intake> admit_body(SmallBody& body);
  bool make_room(SmallBody& body, std::size_t bytes);
  bool make_room(Reply const& reply, BodyBudget::Share& share);
  Task<Intake> read_sized_body(SmallBody& body);
  Task<Intake> read_chunked_body(SmallBody& body);
  Task<Intake> skip_body();
  Task<std::size_t> read_paced(std::span<char> into, BodyPace& pace, Intake& outcome);
  Task<bool> allow_body();
  [[nodiscard]] bool body_is_skippable() const;

  void forget_body();

  /// What `work` answers, or the refusal when an exception escapes it.
  template <class Work>
  std::invoke_result_t<Work const&> guarded(Work const& work) {
    try {
      return work();
    } catch (std::exception const& bug) {
      report(bug.what());
    } catch (...) {
      report("unknown exception");
    }
    return render_refusal(Refusal::internal);
  }
  Task<bool> refuse(Refusal refusal);
  Task<bool> refuse_intake(Intake intake);
  Task<bool> refuse_for_room();
  Reply render_refusal(Refusal refusal);
  Task<bool> send(Reply& reply);
  Task<bool> send_data(DataRange const& range);
  Task<bool> send_from_file(DataRange const& range);
  Task<bool> send_read(DataRange const& range);
  bool start_reading(Reading& reading);
  Task<Intake> pump_body(Pump& pump);
  Task<Intake> fill(Pump& pump);
  void start_storing(Pump& pump);
  Task<Intake> work_off(Pump& pump);
  Task<bool> finish_upload(Pump& pump, Intake intake);
  void report(std::string_view where);

  ServerCore& core_;
  Wire wire_;
  Executor executor_;
  DateLine& date_;
  Input input_;
  std::string const peer_;
  Request request_; // storage is reused from request to request
  HeadTraits traits_;
  std::string out_;        // head of the answer
  bool path_known_{false}; // `request_` has the method and path of the head, if nothing else
  bool head_parsed_{false};
  bool idle_{false};        // waits for the first byte of a request
  bool fresh_{true};        // nothing was received yet
  bool body_unread_{false}; // bytes of the body are still on their way
  bool continued_{false};   // 100 Continue was sent
  bool linger_{false};      // the client may be sending when we close
};

/// A body on its way into `Request::body`.
struct Session::SmallBody {
  std::size_t bytes_max;
  BodyBudget::Share share{};      // of a long body, once it was admitted; grows with it
  std::optional<Reply> refusal{}; // by the handler
};

} // namespace vitrine::net
