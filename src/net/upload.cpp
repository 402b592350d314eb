#include "net/on_pool.hpp"
#include "net/session.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace vitrine::net {
namespace {

Error failure_of(Intake intake, bool stopped) {
  if (stopped) return error(Fault::unavailable, "the server stops");
  switch (intake) {
  case Intake::too_slow: return error(Fault::invalid_body, "the client was too slow");
  case Intake::malformed:
    return error(Fault::invalid_body, "the chunk framing of the body is broken");
  case Intake::gone: return error(Fault::invalid_body, "the client left");
  case Intake::whole:
  case Intake::too_large:
  case Intake::refused:
  case Intake::no_room: break;
  }
  return error(Fault::internal, "an internal error");
}

} // namespace

/// An upload under way: one block is filled from the socket while the one before is stored.
struct Session::Pump {
  Pump(std::unique_ptr<BodySink> into, ServerOptions const& options, RequestHead const& head)
      : sink(std::move(into)), pace(options), chunk_bytes(options.transfer_chunk_bytes),
        left(head.content_length.value_or(0)), ended(!head.has_body()) {}

  void store() noexcept {
    guarded([this]() -> Result<> { return sink->accept(std::move(storing)); });
  }

  /// A step of what is left once all is stored. The last one brings the sink to its end: another
  /// way to the pool would only take time.
  void go_on() noexcept {
    more_to_do = false;
    guarded([this]() -> Result<> {
      more_to_do = TRY(sink->go_on());
      return {};
    });
    if (!more_to_do && !failure && !bug) end(Intake::whole, false);
  }

  void end(Intake intake, bool stopped) noexcept {
    guarded([&]() -> Result<> {
      if (failure) {
        reply = sink->refuse(*failure);
      } else if (intake == Intake::whole && !bug) {
        reply = sink->finish();
      } else {
        sink->abandon(failure_of(intake, stopped));
      }
      sink.reset();
      return {};
    });
    over = true;
  }

  template <class Work>
  void guarded(Work const& work) noexcept {
    try {
      auto done = work();
      if (!done) failure = std::move(done).error();
    } catch (std::exception const& escaped) {
      bug = escaped.what();
    } catch (...) {
      bug = "unknown exception";
    }
  }

  std::unique_ptr<BodySink> sink;
  BodyPace pace;
  ChunkDecoder decoder;
  std::size_t const chunk_bytes;
  std::uint64_t left; // of a body with a length
  bool ended;         // all of the body was read
  Block filling;
  Block storing;
  // Written by the transfer pool, read on the loop once `stored` has opened.
  std::optional<Error> failure;
  std::optional<std::string> bug;
  bool more_to_do{true};
  bool over{false}; // the sink was brought to its end
  Reply reply;
  Gate stored;
  bool in_flight{false};
  bool broken{false}; // storing failed: reading on is pointless
};

Task<bool> Session::answer_upload() {
  // The end of the connection would be the end of the body, and nobody could tell a cut one.
  if (!traits_.version_1_1 && !request_.content_length) {
    body_unread_ = true;
    co_return co_await refuse(Refusal::length_required);
  }
  std::variant<Reply, std::unique_ptr<BodySink>> opened;
  auto const begin = [this] {
    auto begun = core_.handler.begin_upload(request_);
    auto const* sink = std::get_if<std::unique_ptr<BodySink>>(&begun);
    if (sink != nullptr && *sink == nullptr) throw std::logic_error("begin_upload gave no sink");
    return begun;
  };
  auto work = [this, &opened, &begin] { opened = guarded(begin); };
  bool const ran = co_await on_pool(executor_, core_.api, work);
  if (!ran) co_return co_await refuse(Refusal::overloaded);
  if (auto* early = std::get_if<Reply>(&opened)) co_return co_await send(*early);

  Pump pump(std::get<1>(std::move(opened)), core_.options, request_);
  bool allowed = true;
  if (!pump.ended && input_.empty()) allowed = co_await allow_body();
  wire_.disarm();
  Intake intake = Intake::gone;
  if (allowed) intake = co_await pump_body(pump);
  body_unread_ = !pump.ended;
  if (intake == Intake::whole && !pump.failure && !pump.bug) intake = co_await work_off(pump);
  co_return co_await finish_upload(pump, intake);
}

/// Moves the body into the sink. Nothing is in flight afterwards.
Task<Intake> Session::pump_body(Pump& pump) {
  Intake intake = Intake::whole;
  while (intake == Intake::whole && !pump.ended && !pump.broken) {
    intake = co_await fill(pump);
    if (pump.in_flight) {
      wire_.pause();
      co_await pump.stored.wait();
      wire_.resume();
    }
    pump.in_flight = false;
    if (intake != Intake::whole || pump.broken || pump.filling.size() == 0) continue;
    pump.storing = std::move(pump.filling);
    start_storing(pump);
  }
  if (pump.in_flight) co_await pump.stored.wait();
  if (intake == Intake::too_slow && !pump.failure) {
    if (auto const left = pump.sink->time_left(); !left) pump.failure = left.error();
  }
  co_return intake;
}

void Session::start_storing(Pump& pump) {
  auto const back = [this, &pump] {
    pump.broken = pump.failure || pump.bug;
    // A failed store must not wait for a client that sends nothing.
    if (pump.broken) wire_.interrupt();
    pump.stored.open();
  };
  auto job = [executor = executor_, &pump, back] {
    pump.store();
    asio::post(executor, back);
  };
  pump.in_flight = core_.transfer.submit(std::move(job));
  if (!pump.in_flight) pump.failure = error(Fault::unavailable);
  pump.broken = !pump.in_flight;
}

/// Fills a block with as much of the body as it holds.
Task<Intake> Session::fill(Pump& pump) {
  pump.filling = pump.sink->block();
  pump.pace.end_within(pump.sink->time_left().value_or(SteadyClock::duration::zero()));
  Block& block = pump.filling;
  Intake outcome = Intake::whole;
  while (block.size() < pump.chunk_bytes && !pump.ended && !pump.broken) {
    std::uint64_t wanted = pump.chunk_bytes - block.size();
    if (!request_.chunked) wanted = std::min(wanted, pump.left);
    std::span<char> const room(reinterpret_cast<char*>(block.room().data()), wanted);
    bool const buffered = !input_.empty();
    std::size_t count = std::min(input_.size(), room.size());
    if (buffered) {
      std::memcpy(room.data(), input_.view().data(), count);
    } else {
      count = co_await read_paced(room, pump.pace, outcome);
    }
    if (count == 0) co_return outcome;
    std::span<char> const fresh = room.first(count);
    ChunkDecoder::Piece piece{ChunkDecoder::Status::more, count, count};
    if (request_.chunked) {
      piece = pump.decoder.decode(fresh);
      pump.ended = piece.status == ChunkDecoder::Status::done;
    } else {
      pump.left -= count;
      pump.ended = pump.left == 0;
    }
    block.extend(piece.data_bytes);
    if (buffered) {
      input_.take(piece.consumed);
    } else {
      input_.append(fresh.subspan(piece.consumed)); // the start of the next request
    }
    if (piece.status == ChunkDecoder::Status::malformed) co_return Intake::malformed;
  }
  co_return outcome;
}

/// Lets the sink do what is left, step by step, as other uploads want threads too, to its end. The
/// server may stop in between.
Task<Intake> Session::work_off(Pump& pump) {
  auto work = [&pump] { pump.go_on(); };
  while (pump.more_to_do) {
    auto& pool = pump.sink->asks_others() ? core_.api : core_.transfer;
    bool const ran = co_await on_pool(executor_, pool, work);
    if (!ran) {
      pump.failure = error(Fault::unavailable);
      break;
    }
    if (pump.more_to_do && wire_.stopped()) co_return Intake::gone;
  }
  co_return Intake::whole;
}

/// Brings the sink to its end, if it has come to none, and answers.
Task<bool> Session::finish_upload(Pump& pump, Intake intake) {
  if (!pump.over) {
    bool const stopped = wire_.stopped();
    auto work = [&pump, intake, stopped] { pump.end(intake, stopped); };
    bool const ran = co_await on_pool(executor_, core_.transfer, work);
    if (!ran) work();
  }
  if (pump.bug) {
    report(*pump.bug);
    pump.reply = render_refusal(Refusal::internal);
  } else if (!pump.failure && intake != Intake::whole) {
    co_return co_await refuse_intake(intake);
  }
  if (!pump.ended) pump.reply.close = true;
  co_return co_await send(pump.reply);
}

} // namespace vitrine::net
