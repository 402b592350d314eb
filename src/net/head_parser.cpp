#include "net/head_parser.hpp"

#include "base/authority.hpp"
#include "base/text.hpp"

#include <array>
#include <cstring>

namespace vitrine::net {
namespace {

constexpr std::size_t kMethodBytesMax = 32;
constexpr std::size_t kRequestLineOverhead = kMethodBytesMax + sizeof(" "
                                                                      " HTTP/1.1\r\n");

// Classes of bytes, one bit each (RFC 9110 5.6.2, 5.5; RFC 3986 3.2).
constexpr std::uint8_t kToken = 1;
constexpr std::uint8_t kTarget = 2;
constexpr std::uint8_t kValue = 4;

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    char const c = static_cast<char>(byte);
    bool const visible = byte > 0x20 && byte != 0x7f;
    std::uint8_t bits = 0;
    if (text::is_alnum(c)) bits |= kToken;
    if (visible && c != '#') bits |= kTarget;
    if (visible || c == ' ' || c == '\t') bits |= kValue;
    table[byte] = bits;
  }
  for (char const c : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] |= kToken;
  return table;
}

constexpr auto kClasses = make_classes();

bool all_of(std::string_view bytes, std::uint8_t wanted) noexcept {
  std::uint8_t common = wanted;
  for (char const c : bytes)
    common &= kClasses[static_cast<unsigned char>(c)];
  return common == wanted;
}

HeadOutcome refused(Refusal refusal) { return {.status = HeadStatus::refused, .refusal = refusal}; }

/// Why an unfinished head cannot become a good one any more.
HeadOutcome judge_unfinished(std::string_view bytes, HeadScan const& scan,
                             HeadLimits const& limits) {
  if (scan.lines == 0 &&
      bytes.size() - scan.line_start > limits.target_bytes_max + kRequestLineOverhead) {
    return refused(Refusal::target_too_long);
  }
  if (bytes.size() > limits.head_bytes_max) return refused(Refusal::head_too_large);
  return {};
}

/// Finds the empty line; `first` is set to the start of the request line.
HeadOutcome find_end(std::string_view bytes, HeadScan& scan, HeadLimits const& limits) {
  while (scan.next < bytes.size()) {
    void const* found = std::memchr(bytes.data() + scan.next, '\n', bytes.size() - scan.next);
    if (found == nullptr) break;
    auto const at = static_cast<std::size_t>(static_cast<char const*>(found) - bytes.data());
    if (at == scan.line_start || bytes[at - 1] != '\r') return refused(Refusal::malformed);
    bool const empty = at == scan.line_start + 1;
    // One empty line before the request line is tolerated (RFC 9112 2.2).
    if (empty && scan.lines == 0 && scan.line_start > 0) return refused(Refusal::malformed);
    if (!empty) ++scan.lines;
    scan.next = scan.line_start = at + 1;
    if (empty && scan.lines > 0) {
      if (scan.next > limits.head_bytes_max) return refused(Refusal::head_too_large);
      return {.status = HeadStatus::complete, .length = scan.next};
    }
  }
  scan.next = bytes.size();
  return judge_unfinished(bytes, scan, limits);
}

/// The next line without its CRLF; moves `rest` behind it.
std::string_view take_line(std::string_view& rest) {
  std::size_t const end = rest.find('\n');
  std::string_view const line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return line;
}

/// A target as a proxy gets it (RFC 9112 3.2.2) in two; nothing when it is not of that form. What
/// a path leaves out in it, the slash at the front, is up to the caller.
struct AbsoluteForm {
  std::string_view authority;
  std::string_view rest;
};

std::optional<AbsoluteForm> split_absolute(std::string_view target) {
  std::size_t const scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  auto const name = target.substr(0, scheme);
  if (!text::equals_ignoring_case(name, "http") && !text::equals_ignoring_case(name, "https")) {
    return std::nullopt;
  }
  target.remove_prefix(scheme + 3);
  auto const authority = target.substr(0, target.find_first_of("/?"));
  if (!is_authority(authority)) return std::nullopt;
  return AbsoluteForm{authority, target.substr(authority.size())};
}

/// `authority` is set when the target names one: it then stands over the Host header.
std::optional<Refusal> parse_request_line(std::string_view line, HeadLimits const& limits,
                                          RequestHead& head, HeadTraits& traits,
                                          std::string_view& authority) {
  std::size_t const first = line.find(' ');
  std::size_t const last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Refusal::malformed;
  std::string_view const method = line.substr(0, first);
  std::string_view const target = line.substr(first + 1, last - first - 1);
  std::string_view const version = line.substr(last + 1);
  if (method.empty() || method.size() > kMethodBytesMax || !all_of(method, kToken)) {
    return Refusal::malformed;
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return Refusal::malformed;
  if (target.size() > limits.target_bytes_max) return Refusal::target_too_long;
  if (target.empty() || !all_of(target, kTarget)) return Refusal::malformed;
  head.method.assign(method);
  head.target.assign(target);
  if (target.front() != '/') {
    auto const absolute = split_absolute(target);
    if (!absolute) return Refusal::malformed;
    authority = absolute->authority;
    head.target.assign(absolute->rest.starts_with('/') ? "" : "/").append(absolute->rest);
  }
  traits.version_1_1 = version == "HTTP/1.1";
  traits.keep_alive = traits.version_1_1;
  return std::nullopt;
}

/// What the framing headers said so far.
struct Framing {
  std::size_t hosts{0};
  std::size_t lengths{0};
  std::size_t codings{0};
  bool says_close{false};
  bool says_keep_alive{false};
};

bool take_length(std::string_view value, RequestHead& head) {
  constexpr std::size_t digits_max = 18; // fits int64 without an overflow check
  if (value.empty() || value.size() > digits_max) return false;
  std::uint64_t length = 0;
  for (char const c : value) {
    if (!text::is_digit(c)) return false;
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  head.content_length = length;
  return true;
}

void take_connection(std::string_view value, Framing& framing) {
  while (!value.empty()) {
    std::size_t const comma = value.find(',');
    std::string_view const word = text::trim(value.substr(0, comma));
    if (text::equals_ignoring_case(word, "close")) framing.says_close = true;
    if (text::equals_ignoring_case(word, "keep-alive")) framing.says_keep_alive = true;
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
  }
}

/// Looks at the headers that decide where this message ends; false when they are malformed.
bool take_framing(std::string_view name, std::string_view value, RequestHead& head,
                  HeadTraits& traits, Framing& framing) {
  switch (name.size()) {
  case 4:
    if (!text::equals_ignoring_case(name, "Host")) return true;
    ++framing.hosts;
    return value.empty() || is_authority(value); // empty: of a target without a host
  case 6:
    if (!text::equals_ignoring_case(name, "Expect")) return true;
    (text::equals_ignoring_case(value, "100-continue") ? traits.expects_continue
                                                       : traits.expects_otherwise) = true;
    return true;
  case 10:
    if (text::equals_ignoring_case(name, "Connection")) take_connection(value, framing);
    return true;
  case 14:
    if (!text::equals_ignoring_case(name, "Content-Length")) return true;
    ++framing.lengths;
    return take_length(value, head);
  case 17:
    if (!text::equals_ignoring_case(name, "Transfer-Encoding")) return true;
    ++framing.codings;
    head.chunked = true;
    return text::equals_ignoring_case(value, "chunked");
  default: return true;
  }
}

bool framing_is_sound(Framing const& framing, HeadTraits const& traits) {
  if (framing.hosts > 1 || framing.lengths > 1 || framing.codings > 1) return false;
  if (framing.lengths > 0 && framing.codings > 0) return false;
  if (traits.version_1_1) return framing.hosts == 1;
  return framing.codings == 0; // HTTP/1.0 knows no transfer codings
}

std::optional<Refusal> parse_lines(std::string_view rest, HeadLimits const& limits,
                                   RequestHead& head, HeadTraits& traits) {
  if (rest.starts_with("\r\n")) rest.remove_prefix(2);
  std::string_view authority;
  if (auto const refusal = parse_request_line(take_line(rest), limits, head, traits, authority))
    return refusal;
  Framing framing;
  std::size_t count = 0;
  while (rest.size() > 2) {
    std::string_view const line = take_line(rest);
    if (count == limits.headers_max) return Refusal::head_too_large;
    std::size_t const colon = line.find(':');
    if (colon == std::string_view::npos) return Refusal::malformed;
    std::string_view const name = line.substr(0, colon);
    std::string_view const value = text::trim(line.substr(colon + 1));
    // A fold starts with a space and a space may not precede the colon: neither is a token.
    if (name.empty() || !all_of(name, kToken) || !all_of(value, kValue)) return Refusal::malformed;
    if (!take_framing(name, value, head, traits, framing)) return Refusal::malformed;
    if (count == head.headers.size()) head.headers.emplace_back();
    head.headers[count].name.assign(name);
    bool const overruled = !authority.empty() && text::equals_ignoring_case(name, "Host");
    head.headers[count].value.assign(overruled ? authority : value);
    ++count;
  }
  head.headers.resize(count);
  if (!framing_is_sound(framing, traits)) return Refusal::malformed;
  traits.keep_alive = !framing.says_close && (traits.version_1_1 || framing.says_keep_alive);
  if (!traits.version_1_1) traits.expects_continue = traits.expects_otherwise = false;
  return std::nullopt;
}

/// Keeps the method and as much of the path as may be of a head that is refused for its size: the
/// answer has the form of the API that was asked.
bool keep_path(std::string_view bytes, HeadLimits const& limits, RequestHead& head) {
  head.headers.clear();
  head.content_length.reset();
  head.chunked = false;
  if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  auto const method = bytes.substr(0, bytes.substr(0, kMethodBytesMax + 1).find(' '));
  if (method.empty() || method.size() > kMethodBytesMax || !all_of(method, kToken)) return false;
  auto path = bytes.substr(method.size() + 1, limits.target_bytes_max);
  path = path.substr(0, path.find_first_of("? \r\n"));
  if (!path.starts_with('/') || !all_of(path, kTarget)) return false;
  head.method.assign(method);
  head.target.assign(path);
  return true;
}

} // namespace

HeadOutcome parse_head(std::string_view bytes, HeadScan& scan, HeadLimits const& limits,
                       RequestHead& head, HeadTraits& traits) {
  // A byte that cannot start a request needs no wait for a line: another protocol talks to us.
  if (!bytes.empty() && bytes.front() != '\r' && !all_of(bytes.substr(0, 1), kToken)) {
    return refused(Refusal::malformed);
  }
  auto outcome = find_end(bytes, scan, limits);
  if (outcome.status == HeadStatus::complete) {
    traits = HeadTraits{};
    head.content_length.reset();
    head.chunked = false;
    auto const refusal = parse_lines(bytes.substr(0, outcome.length), limits, head, traits);
    if (refusal) outcome = refused(*refusal);
  }
  bool const for_size =
      outcome.status == HeadStatus::refused && outcome.refusal != Refusal::malformed;
  if (for_size) outcome.tells_path = keep_path(bytes, limits, head);
  return outcome;
}

} // namespace vitrine::net
