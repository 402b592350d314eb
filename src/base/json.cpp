#include "base/json.hpp"

#include "base/text.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/src.hpp> // the one place where Boost.JSON is compiled
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace vitrine::json {

namespace {

// Of texts beyond this the tree may take 25 times as much, in pieces that leave holes in the heap.
constexpr std::size_t kShortTextBytes = 16U << 10U;

boost::json::storage_ptr storage_for(std::string_view text) {
  if (text.size() <= kShortTextBytes) return {};
  return boost::json::make_shared_resource<boost::json::monotonic_resource>(text.size());
}

} // namespace

Result<Value> parse(std::string_view text) {
  boost::json::error_code ec;
  boost::json::parse_options options;
  options.max_depth = 32;
  options.allow_invalid_utf8 = false;
  auto value = boost::json::parse({text.data(), text.size()}, ec, storage_for(text), options);
  if (ec) return error(Fault::invalid_body, "malformed JSON: " + ec.message());
  return value;
}

std::optional<std::int64_t> whole_number(Value const& value) {
  if (auto const* number = value.if_int64()) return *number;
  if (auto const* number = value.if_double()) {
    if (std::trunc(*number) == *number && std::abs(*number) < 9.0e15) {
      return static_cast<std::int64_t>(*number);
    }
  }
  return std::nullopt;
}

namespace {

// Whether any of eight bytes is below 0x20, a quote or a backslash: a byte that such a subtraction
// borrows from has its top bit set afterwards and did not before.
bool has_escaped(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  auto const below = [](std::uint64_t x, std::uint64_t bound) { return (x - kOnes * bound) & ~x; };
  auto const is = [&](std::uint64_t byte) { return below(eight ^ (kOnes * byte), 1); };
  return ((below(eight, 0x20) | is('"') | is('\\')) & (kOnes * 0x80)) != 0;
}

// Index of the first byte from `at` on that JSON escapes, or the size of the text.
std::size_t next_escaped(std::string_view text, std::size_t at) {
  std::uint64_t eight = 0;
  for (; at + sizeof(eight) <= text.size(); at += sizeof(eight)) {
    std::memcpy(&eight, text.data() + at, sizeof(eight));
    if (has_escaped(eight)) break;
  }
  for (; at < text.size(); ++at) {
    auto const byte = static_cast<std::uint8_t>(text[at]);
    if (byte < 0x20 || byte == '"' || byte == '\\') break;
  }
  return at;
}

} // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = next_escaped(text, 0); i < text.size(); i = next_escaped(text, i + 1)) {
    auto const byte = static_cast<std::uint8_t>(text[i]);
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (byte) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    }
  }
  out.append(text, plain);
  out += '"';
}

std::string to_text(Value const& value) { return boost::json::serialize(value); }

void Writer::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

Writer& Writer::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

Writer& Writer::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  separate();
  append_string(out_, text);
  return *this;
}

Writer& Writer::integer(std::int64_t value) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

Writer& Writer::number(double value) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

Writer& Writer::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

Writer& Writer::null() {
  separate();
  out_ += "null";
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

Writer& Writer::value(Value const& value) { return raw(to_text(value)); }

} // namespace vitrine::json
