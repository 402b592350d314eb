#include "net/on_pool.hpp"
#include "net/session.hpp"

#include <algorithm>
#include <bit>

namespace vitrine::net {
namespace {

constexpr std::size_t kReadBytes = 16U << 10U;
/// An unread body up to this size is read over rather than the connection given up.
constexpr std::uint64_t kSkippedBytesMax = 64U << 10U;
/// The first share of a long body; it doubles as the body comes.
constexpr std::size_t kShareBytesMin = 64U << 10U;

} // namespace

bool BodyPace::keeps_up(std::size_t bytes, SteadyClock::duration waited) {
  waited_ += waited;
  left_ -= waited;
  bytes_ += bytes;
  if (left_ <= SteadyClock::duration::zero()) return false;
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
  wire_.arm(pace.patience());
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
    intake = co_await read_sized_body(body);
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
  if (request_.content_length.value_or(0) > body.bytes_max) co_return Intake::too_large;
  co_return make_room(body, kShortBodyBytes + 1) ? Intake::whole : Intake::no_room;
}

/// Room for that much of the body. A long one takes its share as it comes: who sends little holds
/// little.
bool Session::make_room(SmallBody& body, std::size_t bytes) {
  if (bytes <= std::max(kShortBodyBytes, body.share.bytes())) return true;
  std::size_t const most = request_.content_length.value_or(body.bytes_max);
  std::size_t const room = std::min(most, std::max(kShareBytesMin, std::bit_ceil(bytes)));
  if (!core_.long_bodies.grow(body.share, room)) return false;
  request_.body.reserve(room); // a string that grows by itself may take more than its share
  return true;
}

Task<Intake> Session::read_sized_body(SmallBody& body) {
  BodyPace pace(core_.options);
  Intake outcome = Intake::whole;
  std::size_t const length = *request_.content_length;
  if (length > kShortBodyBytes) pace.end_within(core_.options.long_body_timeout);
  while (true) {
    std::size_t const take = std::min(length - request_.body.size(), input_.size());
    if (!make_room(body, request_.body.size() + take)) co_return Intake::no_room;
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
    if (admitted && !make_room(body, request_.body.size() + piece.data_bytes)) {
      co_return Intake::no_room;
    }
    request_.body.append(input_.view().substr(0, piece.data_bytes));
    input_.take(piece.consumed);
    if (piece.status == ChunkDecoder::Status::done) co_return Intake::whole;
    if (piece.status == ChunkDecoder::Status::malformed) co_return Intake::malformed;
    if (!admitted && request_.body.size() > kShortBodyBytes) {
      Intake const verdict = co_await admit_body(body);
      if (verdict != Intake::whole) co_return verdict;
      pace.end_within(core_.options.long_body_timeout);
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
