// The head of an answer as bytes, and the date it carries.
#pragma once

#include "net/message.hpp"

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace vitrine::net {

/// The current date in the form of RFC 9110 5.6.7, rendered once a second. For one thread.
class DateLine {
public:
  /// Valid until the next call.
  std::string_view now();
  /// For `now` and its test.
  static std::string render(std::time_t seconds);

private:
  std::time_t seconds_{-1};
  std::string text_;
};

/// True for statuses whose answers have neither body nor Content-Length.
constexpr bool is_bodiless(int status) noexcept { return status == 204 || status == 304; }

/// Appends status line, headers and the empty line. Headers that `net/` owns (Content-Length,
/// Connection, Date, Transfer-Encoding) are left out of the reply's own; CR, LF and NUL are taken
/// out of values, so that no handler can split an answer. `announce_keep_alive` is for HTTP/1.0
/// clients, which must be told.
void render_head(std::string& out, Reply const& reply, std::uint64_t body_bytes,
                 std::string_view date, bool closes, bool announce_keep_alive);

} // namespace vitrine::net
