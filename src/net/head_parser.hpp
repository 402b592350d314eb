// The head of an HTTP/1 request, from bytes to `RequestHead` (RFC 9110, RFC 9112). Pure, no I/O.
//
// Stricter than the RFC where leniency lets two parties read one message differently: whatever has
// more than one reading is refused, never repaired.
#pragma once

#include "net/message.hpp"

#include <cstddef>
#include <string_view>

namespace vitrine::net {

struct HeadLimits {
  std::size_t head_bytes_max;   ///< request line, header lines and the empty line together
  std::size_t target_bytes_max; ///< path and query
  std::size_t headers_max;
};

/// How far the search for the end of a head has come. Start each head with a fresh one.
struct HeadScan {
  std::size_t next{0};       ///< first byte not looked at
  std::size_t line_start{0}; ///< of the line that `next` is in
  std::size_t lines{0};      ///< complete lines so far, a leading empty one not counted
};

/// What the head says about the connection and the body, apart from `RequestHead`.
struct HeadTraits {
  bool version_1_1{true};
  bool keep_alive{true};         ///< the client is willing to go on
  bool expects_continue{false};  ///< `Expect: 100-continue` of an HTTP/1.1 client
  bool expects_otherwise{false}; ///< any other expectation
};

enum class HeadStatus : std::uint8_t { incomplete, complete, refused };

struct HeadOutcome {
  HeadStatus status{HeadStatus::incomplete};
  Refusal refusal{Refusal::malformed}; ///< when refused
  std::size_t length{0};               ///< bytes of the head when complete
  bool tells_path{false}; ///< when refused: the method and path of the head have come, as far as
                          ///< they are; nothing else of it
};

/// Looks at `bytes`, all that has arrived since the end of the message before. Call again with more
/// bytes and the same `scan` while incomplete; each byte is searched once. Fills `head` (method,
/// target, headers, content_length, chunked; storage is reused) and `traits` only when complete.
HeadOutcome parse_head(std::string_view bytes, HeadScan& scan, HeadLimits const& limits,
                       RequestHead& head, HeadTraits& traits);

} // namespace vitrine::net
