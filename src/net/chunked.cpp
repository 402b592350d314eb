#include "net/chunked.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstring>

namespace vitrine::net {
namespace {

constexpr std::size_t kSizeLineBytesMax = 1024;
constexpr std::size_t kTrailerBytesMax = 8192;
constexpr std::uint64_t kChunkBytesMax = std::uint64_t{1} << 56U; // room for one more digit

unsigned digit_value(char c) {
  return text::is_digit(c) ? static_cast<unsigned>(c - '0')
                           : static_cast<unsigned>(text::lower(c) - 'a') + 10U;
}

bool is_field_byte(char c) {
  auto const byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

} // namespace

ChunkDecoder::Piece ChunkDecoder::decode(std::span<char> bytes) {
  std::size_t read = 0;
  std::size_t written = 0;
  while (read < bytes.size() && state_ != State::done && state_ != State::broken) {
    if (state_ == State::data) {
      std::size_t const take = std::min<std::uint64_t>(left_, bytes.size() - read);
      if (read != written) std::memmove(bytes.data() + written, bytes.data() + read, take);
      read += take;
      written += take;
      left_ -= take;
      if (left_ == 0) state_ = State::data_cr;
    } else {
      state_ = step(bytes[read++]);
    }
  }
  Status const status = state_ == State::done     ? Status::done
                        : state_ == State::broken ? Status::malformed
                                                  : Status::more;
  return {status, written, read};
}

ChunkDecoder::State ChunkDecoder::step_size(char c) {
  if (text::is_hex_digit(c)) {
    if (left_ >= kChunkBytesMax) return State::broken;
    left_ = left_ * 16 + digit_value(c);
    return State::size;
  }
  if (state_ == State::size_first) return State::broken;
  if (c == ';') return State::extension;
  return c == '\r' ? State::size_lf : State::broken;
}

ChunkDecoder::State ChunkDecoder::step_line(char c, State stay, State line_feed) {
  if (c == '\r') return line_feed;
  return is_field_byte(c) ? stay : State::broken;
}

ChunkDecoder::State ChunkDecoder::step(char c) {
  bool const in_trailers = state_ >= State::trailer_start;
  if (++overhead_bytes_ > (in_trailers ? kTrailerBytesMax : kSizeLineBytesMax))
    return State::broken;
  switch (state_) {
  case State::size_first:
  case State::size: return step_size(c);
  case State::extension: return step_line(c, State::extension, State::size_lf);
  case State::size_lf:
    if (c != '\n') return State::broken;
    overhead_bytes_ = 0;
    return left_ > 0 ? State::data : State::trailer_start;
  case State::data_cr: return c == '\r' ? State::data_lf : State::broken;
  case State::data_lf: overhead_bytes_ = 0; return c == '\n' ? State::size_first : State::broken;
  case State::trailer_start:
    if (c == ' ' || c == '\t') return State::broken; // a fold
    return step_line(c, State::trailer, State::end_lf);
  case State::trailer: return step_line(c, State::trailer, State::trailer_lf);
  case State::trailer_lf: return c == '\n' ? State::trailer_start : State::broken;
  case State::end_lf: return c == '\n' ? State::done : State::broken;
  case State::data:
  case State::done:
  case State::broken: break;
  }
  return State::broken;
}

} // namespace vitrine::net
