#include "net/on_pool.hpp"
#include "net/session.hpp"

#include <algorithm>

namespace vitrine::net {
namespace {

constexpr std::size_t kReadBytes = 16U << 10U;
/// An unread body up to this size is read over rather than the connection given up.
constexpr std::uint64_t kSkippedBytesMax = 64U << 10U;

} // namespace

bool BodyPace::keeps_up(std::size_t bytes, SteadyClock::duration waited) {
  waited_ += waited;
  bytes_ += bytes;
  if (waited_ < window_) return true;
  auto const milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(waited_).count();
  bool const fast =
      bytes_ * 1000 >= bytes_per_second_min_ * static_cast<std::uint64_t>(milliseconds);
  waited_ = {};
  bytes_ = 0;
  return fast;
}

/// Reads some of a body within the timeouts; 0 with `outcome` set when there is no more to come.
Task<std::size_t> Session::read_paced(std::span<char> into, BodyPace& pace, Intake& outcome) {
  SteadyClock::time_point const start = SteadyClock::now();
  wire_.arm(core_.options.body_timeout);
  std::size_t const count = co_await wire_.read_some(into);
  wire_.disarm();
  if (count == 0) {
    outcome = wire_.end() == WireEnd::expired ? Intake::too_slow : Intake::gone;
  } else if (!pace.keeps_up(count, SteadyClock::now() - start)) {
    outcome = Intake::too_slow;
    co_return 0;
  }
  co_return count;
}

Task<Intake> Session::read_body(SmallBody& body) {
  if (request_.content_length.value_or(0) > std::min(kShortBodyBytes, body.bytes_max)) {
    Intake const verdict = co_await admit_body(body);
    if (verdict != Intake::whole) co_return verdict;
  }
  if (input_.empty()) {
    bool const allowed = co_await allow_body();
    wire_.disarm();
    if (!allowed) co_return Intake::gone;
  }
  Intake intake = Intake::whole;
  if (request_.chunked) {
    intake = co_await read_chunked_body(body);
  } else {
    intake = co_await read_sized_body();
  }
  if (intake == Intake::whole) body_unread_ = false;
  co_return intake;
}

/// Whether a long body may come: its head must please the handler, and there must be room for it.
Task<Intake> Session::admit_body(SmallBody& body) {
  auto work = [this, &body] {
    body.refusal = guarded([this] { return core_.handler.admit(request_); });
  };
  bool const ran = co_await on_pool(executor_, core_.api, work);
  if (!ran) co_return Intake::no_room;
  if (body.refusal) co_return Intake::refused;
  std::uint64_t const length = request_.content_length.value_or(body.bytes_max);
  if (length > body.bytes_max) co_return Intake::too_large;
  auto share = core_.long_bodies.take(length);
  if (!share) co_return Intake::no_room;
  body.share = std::move(*share);
  request_.body.reserve(length); // a string that doubles would take more than its share
  co_return Intake::whole;
}

Task<Intake> Session::read_sized_body() {
  BodyPace pace(core_.options);
  Intake outcome = Intake::whole;
  std::size_t const length = *request_.content_length;
  while (true) {
    std::size_t const take = std::min(length - request_.body.size(), input_.size());
    request_.body.append(input_.view().substr(0, take));
    input_.take(take);
    if (request_.body.size() == length) co_return Intake::whole;
    std::span<char> const room = input_.room(kReadBytes);
    std::size_t const count = co_await read_paced(room, pace, outcome);
    if (count == 0) co_return outcome;
    input_.added(count);
  }
}

Task<Intake> Session::read_chunked_body(SmallBody& body) {
  BodyPace pace(core_.options);
  Intake outcome = Intake::whole;
  bool admitted = false;
  ChunkDecoder decoder;
  while (true) {
    ChunkDecoder::Piece const piece = decoder.decode(input_.bytes());
    if (piece.data_bytes > body.bytes_max - request_.body.size()) co_return Intake::too_large;
    request_.body.append(input_.view().substr(0, piece.data_bytes));
    input_.take(piece.consumed);
    if (piece.status == ChunkDecoder::Status::done) co_return Intake::whole;
    if (piece.status == ChunkDecoder::Status::malformed) co_return Intake::malformed;
    if (!admitted && request_.body.size() > kShortBodyBytes) {
      Intake const verdict = co_await admit_body(body);
      if (verdict != Intake::whole) co_return verdict;
      admitted = true;
    }
    std::span<char> const room = input_.room(kReadBytes);
    std::size_t const count = co_await read_paced(room, pace, outcome);
    if (count == 0) co_return outcome;
    input_.added(count);
  }
}

/// Only a body whose end is known and near, and that the client surely sends.
bool Session::body_is_skippable() const {
  return !request_.chunked && request_.body.empty() &&
         request_.content_length.value_or(0) <= kSkippedBytesMax &&
         !(traits_.expects_continue && !continued_);
}

Task<Intake> Session::skip_body() {
  BodyPace pace(core_.options);
  Intake outcome = Intake::whole;
  std::uint64_t left = *request_.content_length;
  while (true) {
    std::size_t const take = std::min<std::uint64_t>(left, input_.size());
    input_.take(take);
    left -= take;
    if (left == 0) co_return Intake::whole;
    std::span<char> const room = input_.room(kReadBytes);
    std::size_t const count = co_await read_paced(room, pace, outcome);
    if (count == 0) co_return outcome;
    input_.added(count);
  }
}

} // namespace vitrine::net
