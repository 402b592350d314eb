// Chunked transfer coding of a request body (RFC 9112 7.1), strict. Pure, no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vitrine::net {

/// Takes the framing out of a body that arrives piece by piece. Extensions and trailers are read
/// over and bounded; every line must end in CRLF.
class ChunkDecoder {
public:
  enum class Status : std::uint8_t { more, done, malformed };
  struct Piece {
    Status status;
    std::size_t data_bytes; ///< of the body, moved to the front of `bytes`
    std::size_t
        consumed; ///< of `bytes`; less than all only when done (the rest is the next message)
  };

  /// Decodes in place.
  Piece decode(std::span<char> bytes);

private:
  enum class State : std::uint8_t {
    size_first, // at least one digit must come
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done,
    broken,
  };

  State step(char c);
  State step_size(char c);
  State step_line(char c, State stay, State line_feed);

  State state_{State::size_first};
  std::uint64_t left_{0};         // bytes of the chunk still to come
  std::size_t overhead_bytes_{0}; // of the current size line, or of all trailers
};

} // namespace vitrine::net
