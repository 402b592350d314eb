#include "net/reply_head.hpp"

#include "base/text.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace vitrine::net {

namespace {

bool breaks_line(char c) { return c == '\r' || c == '\n' || c == '\0'; }

void append_clean(std::string& out, std::string_view value) {
  for (char const c : value) {
    if (!breaks_line(c)) out.push_back(c);
  }
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

bool is_ours(std::string_view name) {
  switch (name.size()) {
  case 4: return text::equals_ignoring_case(name, "Date");
  case 10: return text::equals_ignoring_case(name, "Connection");
  case 14: return text::equals_ignoring_case(name, "Content-Length");
  case 17: return text::equals_ignoring_case(name, "Transfer-Encoding");
  default: return false;
  }
}

} // namespace

std::string DateLine::render(std::time_t seconds) {
  static constexpr std::array<char const*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<char const*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> line{};
  int const length = std::snprintf(line.data(), line.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   days.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                                   months.at(static_cast<std::size_t>(parts.tm_mon)),
                                   parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {line.data(), static_cast<std::size_t>(length)};
}

std::string_view DateLine::now() {
  std::time_t const seconds = std::time(nullptr);
  if (seconds != seconds_) {
    seconds_ = seconds;
    text_ = render(seconds);
  }
  return text_;
}

void render_head(std::string& out, Reply const& reply, std::uint64_t body_bytes,
                 std::string_view date, bool closes, bool announce_keep_alive) {
  // 1xx would announce another answer after this one; a status out of range is a bug of the
  // handler.
  int const status = reply.status >= 200 && reply.status <= 599 ? reply.status : 500;
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(status));
  out.append(" ").append(reason_phrase(status)).append("\r\nDate: ").append(date);
  if (!reply.content_type.empty()) {
    out.append("\r\nContent-Type: ");
    append_clean(out, reply.content_type);
  }
  if (!is_bodiless(status)) {
    out.append("\r\nContent-Length: ");
    append_number(out, body_bytes);
  }
  if (closes) {
    out.append("\r\nConnection: close");
  } else if (announce_keep_alive) {
    out.append("\r\nConnection: keep-alive");
  }
  for (Header const& header : reply.headers) {
    if (is_ours(header.name)) continue;
    out.append("\r\n");
    append_clean(out, header.name);
    out.append(": ");
    append_clean(out, header.value);
  }
  out.append("\r\n\r\n");
}

} // namespace vitrine::net
