#include "net/session.hpp"

#include "net/on_pool.hpp"

#include <fmt/core.h>

namespace vitrine::net {
namespace {

constexpr std::size_t kReadBytes = 4U << 10U;
constexpr std::size_t kKeptBodyBytes = 32U << 10U; // larger bodies leave no memory behind
constexpr auto kLingerPatience = std::chrono::seconds(2);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

HeadLimits head_limits(ServerOptions const& options) {
  return {options.head_bytes_max, options.target_bytes_max, options.headers_max};
}

bool closes_always(Refusal refusal) {
  return refusal != Refusal::body_too_large && refusal != Refusal::overloaded &&
         refusal != Refusal::internal;
}

} // namespace

ServerCore::ServerCore(ServerOptions given, Handler& answering)
    : options(std::move(given)), handler(answering), long_bodies(options.long_bodies_bytes_max),
      long_replies(options.long_replies_bytes_max),
      api("api", options.api_threads, options.api_queue_max),
      slow("slow", options.slow_threads, options.api_queue_max),
      bulky("bulky", options.long_body_threads, options.api_queue_max),
      // Each session has at most one job here, so the queue is bounded by the connections.
      transfer("transfer", options.transfer_threads, options.connections_max) {}

Session::Session(ServerCore& core, Wire wire, Executor executor, DateLine& date)
    : core_(core), wire_(std::move(wire)), executor_(executor), date_(date),
      peer_(wire_.peer_address()) {}

void Session::stop_if_idle() {
  if (idle_) stop();
}

Task<> Session::run() {
  wire_.arm(core_.options.head_timeout);
  bool again = co_await wire_.handshake();
  wire_.disarm();
  while (again)
    again = co_await serve_next();
  forget_body(); // closing may take a while
  SteadyClock::duration const patience =
      std::min<SteadyClock::duration>(kLingerPatience, core_.options.body_timeout);
  co_await wire_.close(linger_ || !input_.empty(), patience);
}

HeadOutcome Session::try_head(HeadScan& scan) {
  return parse_head(input_.view(), scan, head_limits(core_.options), request_, traits_);
}

/// Reads until the head is whole or hopeless; still incomplete when the wire ended.
Task<HeadOutcome> Session::await_head(HeadScan& scan) {
  HeadOutcome outcome;
  if (input_.empty()) {
    if (core_.draining) co_return outcome;
    idle_ = true;
    wire_.arm(fresh_ ? core_.options.head_timeout : core_.options.idle_timeout);
  } else {
    wire_.arm(core_.options.head_timeout);
  }
  while (outcome.status == HeadStatus::incomplete) {
    std::span<char> const room = input_.room(kReadBytes);
    std::size_t const count = co_await wire_.read_some(room);
    if (count == 0) break;
    if (idle_) wire_.arm(core_.options.head_timeout);
    idle_ = fresh_ = false;
    input_.added(count);
    outcome = try_head(scan);
  }
  wire_.disarm();
  idle_ = false;
  co_return outcome;
}

/// One request and its answer; false when the connection is to be closed.
Task<bool> Session::serve_next() {
  HeadScan scan;
  head_parsed_ = path_known_ = body_unread_ = continued_ = false;
  HeadOutcome outcome;
  if (!input_.empty()) outcome = try_head(scan);
  if (outcome.status == HeadStatus::incomplete) outcome = co_await await_head(scan);
  if (outcome.status == HeadStatus::incomplete) {
    bool const begun = !input_.empty();
    if (wire_.end() != WireEnd::expired || !begun) co_return false;
    co_return co_await refuse(Refusal::timed_out);
  }
  path_known_ = outcome.tells_path;
  if (outcome.status == HeadStatus::refused) co_return co_await refuse(outcome.refusal);
  input_.take(outcome.length);
  head_parsed_ = path_known_ = true;
  request_.remote_address = peer_;
  request_.tls = wire_.is_tls();
  body_unread_ = request_.has_body();
  if (traits_.expects_otherwise) co_return co_await refuse(Refusal::expectation_failed);
  Route const route = core_.handler.route(request_);
  if (route.upload) co_return co_await answer_upload();
  co_return co_await answer_small(route);
}

Pool& Session::pool_for(Route const& route) {
  if (request_.body.size() > kShortBodyBytes) return core_.bulky;
  return route.slow ? core_.slow : core_.api;
}

/// An answer that no thread waits for; false when there is none yet.
Task<bool> Session::answer_later(Reply& reply) {
  Gate gate;
  Handler::Answer answer;
  auto const back = [&gate] { gate.open(); };
  // By value: when the coroutine goes on, its frame may end before `post` has returned.
  auto done = [executor = executor_, &core = core_, &answer, back](Handler::Answer given) {
    answer = std::move(given);
    std::lock_guard const lock(core.coming_back);
    asio::post(executor, back);
  };
  bool taken = false;
  reply = guarded([&] {
    taken = core_.handler.handle_later(request_, done);
    return Reply();
  });
  if (!taken) co_return false;
  co_await gate.wait();
  bool made = false;
  reply = guarded([&] {
    auto answered = answer();
    made = answered.has_value();
    return made ? std::move(*answered) : Reply();
  });
  co_return made;
}

Task<bool> Session::answer_small(Route const& route) {
  SmallBody body{.bytes_max = route.body_bytes_max};
  if (body_unread_) {
    Intake const intake = co_await read_body(body);
    if (intake == Intake::refused) co_return co_await send(*body.refusal);
    if (intake != Intake::whole) co_return co_await refuse_intake(intake);
  }
  Reply reply;
  bool ran = true;
  bool const answered = route.later && co_await answer_later(reply);
  auto work = [this, &reply] {
    reply = guarded([this] { return core_.handler.handle(request_); });
  };
  if (route.quick) {
    work();
  } else if (!answered) {
    ran = co_await on_pool(executor_, pool_for(route), work);
  }
  // How long the answer takes is up to the client.
  forget_body();
  body.share = {};
  if (!ran) co_return co_await refuse(Refusal::overloaded);
  BodyBudget::Share share;
  if (!make_room(reply, share)) {
    reply = {};
    co_return co_await refuse_for_room();
  }
  co_return co_await send(reply);
}

/// Room for an answer until its client has taken it.
bool Session::make_room(Reply const& reply, BodyBudget::Share& share) {
  if (reply.body.size() <= kShortReplyBytes) return true;
  std::size_t const spared = request_.is_safe() ? core_.options.long_replies_bytes_max / 4 : 0;
  return core_.long_replies.grow(share, reply.body.size(), spared);
}

/// Of a write, whose effect is there, an end without an answer says the truth: nobody knows.
Task<bool> Session::refuse_for_room() {
  if (!request_.is_safe()) co_return false;
  co_return co_await refuse(Refusal::overloaded);
}

void Session::forget_body() {
  if (request_.body.capacity() > kKeptBodyBytes) request_.body = {};
  request_.body.clear();
}

void Session::report(std::string_view what) {
  std::string const line = fmt::format("{} {}: {}", request_.method, request_.target, what);
  core_.options.report_bug(line);
}

Reply Session::render_refusal(Refusal refusal) {
  Reply reply;
  try {
    reply = core_.handler.refuse(path_known_ ? &request_ : nullptr, refusal);
  } catch (std::exception const& bug) {
    report(bug.what());
    reply.status = 500;
  }
  if (closes_always(refusal)) reply.close = true;
  return reply;
}

Task<bool> Session::refuse(Refusal refusal) {
  // Of a broken head nobody knows where it ends.
  if (!head_parsed_) body_unread_ = true;
  Reply reply = render_refusal(refusal);
  co_return co_await send(reply);
}

Task<bool> Session::refuse_intake(Intake intake) {
  switch (intake) {
  case Intake::too_large: co_return co_await refuse(Refusal::body_too_large);
  case Intake::malformed: co_return co_await refuse(Refusal::malformed);
  case Intake::too_slow: co_return co_await refuse(Refusal::timed_out);
  case Intake::no_room:
    traits_.keep_alive = false; // and the rest of the body is not waited for
    co_return co_await refuse(Refusal::overloaded);
  case Intake::whole:
  case Intake::refused:
  case Intake::gone: break;
  }
  co_return false;
}

/// Tells a client that waits for leave to send its body; false when the wire ended.
Task<bool> Session::allow_body() {
  if (!traits_.expects_continue || continued_) co_return true;
  continued_ = true;
  std::string_view const no_body;
  co_return co_await wire_.write(kContinue, no_body, core_.options.body_timeout);
}

/// Writes the answer and, when the connection goes on, reads over what is left of the body.
Task<bool> Session::send(Reply& reply) {
  bool const skip = body_unread_ && body_is_skippable();
  bool const keep = traits_.keep_alive && head_parsed_ && !reply.close && !core_.draining &&
                    (!body_unread_ || skip);
  if (is_bodiless(reply.status)) {
    reply.body.clear();
    reply.data.reset();
  }
  std::uint64_t const length = reply.data ? reply.data->length() : reply.body.size();
  bool const headless = head_parsed_ && request_.method == "HEAD";
  std::string_view const body = headless ? std::string_view{} : std::string_view(reply.body);
  out_.clear();
  render_head(out_, reply, length, date_.now(), !keep, keep && !traits_.version_1_1);
  linger_ = body_unread_;

  std::size_t const sent = wire_.write_now(out_, body);
  if (sent < out_.size() + body.size()) {
    std::string_view const head_left = std::string_view(out_).substr(std::min(sent, out_.size()));
    std::string_view const body_left = body.substr(sent - (out_.size() - head_left.size()));
    if (body.size() > kShortReplyBytes) wire_.end_within(core_.options.long_reply_timeout);
    bool const written = co_await wire_.write(head_left, body_left, core_.options.body_timeout);
    wire_.disarm();
    if (!written) co_return false;
  }
  if (reply.data && !headless) {
    bool const written = co_await send_data(*reply.data);
    wire_.disarm();
    if (!written) co_return false;
  }
  if (!keep || !skip) co_return keep;
  Intake const rest = co_await skip_body();
  co_return rest == Intake::whole;
}

} // namespace vitrine::net
