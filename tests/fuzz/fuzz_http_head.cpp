// A request as strangers send it: the head, and the chunk framing of what follows. Beyond the
// sanitizers: reading it whole and reading it in pieces must come to the same end, and no head may
// leave two readings.
#include "net/chunked.hpp"
#include "net/head_parser.hpp"

#include <algorithm>
#include <string>

namespace {

using namespace vitrine::net;

constexpr HeadLimits kLimits{.head_bytes_max = 4096, .target_bytes_max = 512, .headers_max = 16};

void demand(bool condition) {
  if (!condition) __builtin_trap();
}

struct Parsed {
  HeadOutcome outcome;
  RequestHead head;
  HeadTraits traits;
};

Parsed parse(std::string_view bytes, std::size_t step) {
  Parsed parsed;
  HeadScan scan;
  std::size_t size = 0;
  while (parsed.outcome.status == HeadStatus::incomplete && size < bytes.size()) {
    size = std::min(size + step, bytes.size());
    parsed.outcome = parse_head(bytes.substr(0, size), scan, kLimits, parsed.head, parsed.traits);
  }
  return parsed;
}

void check_head(Parsed const& parsed) {
  RequestHead const& head = parsed.head;
  demand(head.target.starts_with('/') && head.target.size() <= kLimits.target_bytes_max);
  demand(head.headers.size() <= kLimits.headers_max);
  demand(!(head.chunked && head.content_length));
  demand(parsed.outcome.length <= kLimits.head_bytes_max);
  for (Header const& header : head.headers) {
    demand(!header.name.empty());
    demand(header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
}

struct Decoded {
  ChunkDecoder::Status status{ChunkDecoder::Status::more};
  std::string data;
  std::size_t consumed{0};
};

Decoded decode(std::string body, std::size_t step) {
  Decoded decoded;
  ChunkDecoder decoder;
  while (decoded.status == ChunkDecoder::Status::more && decoded.consumed < body.size()) {
    std::span<char> const all(body);
    std::span<char> const part =
        all.subspan(decoded.consumed, std::min(step, body.size() - decoded.consumed));
    auto const piece = decoder.decode(part);
    demand(piece.data_bytes <= piece.consumed && piece.consumed <= part.size());
    decoded.status = piece.status;
    decoded.data.append(part.data(), piece.data_bytes);
    decoded.consumed += piece.consumed;
  }
  return decoded;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const bytes(reinterpret_cast<char const*>(data), size);
  Parsed const whole = parse(bytes, std::max<std::size_t>(size, 1));
  Parsed const bytewise = parse(bytes, 1);
  // Limits may be noticed earlier in pieces, so only a good head must be the same.
  bool const complete = whole.outcome.status == HeadStatus::complete;
  demand(complete == (bytewise.outcome.status == HeadStatus::complete));
  if (complete) {
    demand(whole.outcome.length == bytewise.outcome.length);
    demand(whole.head.target == bytewise.head.target);
    check_head(whole);
  }
  std::string const rest(bytes.substr(complete ? whole.outcome.length : 0));
  Decoded const once = decode(rest, std::max<std::size_t>(rest.size(), 1));
  for (std::size_t const step : {1, 3}) {
    Decoded const pieces = decode(rest, step);
    demand(once.status == pieces.status && once.data == pieces.data);
  }
  return 0;
}
