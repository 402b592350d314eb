#include "ops/log.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "ops/log_output.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace vitrine::ops {
namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::array<std::string_view, 8> kSecretWords = {
    "token",      "password",  "secret", "authorization",
    "credential", "signature", "cookie", "private_key"};
constexpr std::array<std::string_view, 5> kLevelNames = {"debug", "info", "warning", "error",
                                                         "off"};

thread_local std::string_view current_request;

std::atomic<LogFormat> log_format{LogFormat::json};

std::string_view as_utf8(std::string_view text, std::string& buffer) {
  if (text::is_utf8(text)) return text;
  buffer = text;
  std::ranges::replace_if(buffer, [](char c) { return (c & 0x80) != 0; }, '?');
  return buffer;
}

struct AppendJson {
  json::Writer& writer;

  void operator()(std::int64_t number) const { writer.integer(number); }
  void operator()(double number) const {
    std::isfinite(number) ? writer.number(number) : writer.null(); // JSON has no infinity
  }
  void operator()(bool flag) const { writer.boolean(flag); }
  void operator()(std::string_view text) const {
    std::string buffer;
    writer.string(as_utf8(text, buffer));
  }
};

struct AppendText {
  std::string& out;

  void operator()(std::int64_t number) const {
    fmt::format_to(std::back_inserter(out), "{}", number);
  }
  void operator()(double number) const { fmt::format_to(std::back_inserter(out), "{}", number); }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(std::string_view text) const {
    bool const plain = !text.empty() && std::ranges::all_of(text, [](char c) {
      return text::is_alnum(c) || std::string_view("-._:/+@").find(c) != std::string_view::npos;
    });
    std::string buffer;
    if (plain) {
      out += text;
    } else {
      json::append_string(out, as_utf8(text, buffer));
    }
  }
};

LogField::Value shown(LogField const& field) {
  return is_secret_name(field.name) ? LogField::Value(kRedacted) : field.value;
}

void render_json(std::string& out, LogLine const& line) {
  json::Writer writer(out);
  writer.begin_object();
  writer.field("time", format_milliseconds(line.time));
  writer.field("level", kLevelNames[static_cast<std::size_t>(line.level)]);
  writer.field("event", line.event);
  if (!line.request_id.empty()) {
    writer.key("request_id");
    AppendJson{writer}(line.request_id);
  }
  for (auto const& field : line.fields) {
    writer.key(field.name);
    std::visit(AppendJson{writer}, shown(field));
  }
  writer.end_object();
}

void render_text(std::string& out, LogLine const& line) {
  fmt::format_to(std::back_inserter(out), "{} {:<7} {}", format_milliseconds(line.time),
                 kLevelNames[static_cast<std::size_t>(line.level)], line.event);
  for (auto const& field : line.fields) {
    fmt::format_to(std::back_inserter(out), " {}=", field.name);
    std::visit(AppendText{out}, shown(field));
  }
  if (line.request_id.empty()) return;
  out += " request_id=";
  AppendText{out}(line.request_id);
}

} // namespace

namespace detail {

std::atomic<LogLevel> log_level{LogLevel::info};

void write_log(LogLevel level, std::string_view event, LogFields fields) {
  thread_local std::string line;
  line.clear();
  render_log_line(line, log_format, {SystemClock().now(), level, event, current_request, fields});
  LogOutput::instance().add(line, level >= LogLevel::warning);
}

} // namespace detail

bool is_secret_name(std::string_view name) noexcept {
  return std::ranges::any_of(kSecretWords, [&](std::string_view word) {
    auto const same = [](char a, char b) { return text::lower(a) == b; };
    return !std::ranges::search(name, word, same).empty();
  });
}

void render_log_line(std::string& out, LogFormat format, LogLine const& line) {
  format == LogFormat::json ? render_json(out, line) : render_text(out, line);
}

Result<> configure_log(LogConfig const& config) {
  TRY(LogOutput::instance().open(config.file));
  log_format = config.format;
  detail::log_level = config.level;
  return {};
}

LogRequestScope::LogRequestScope(std::string_view request_id) noexcept : outer_(current_request) {
  current_request = request_id;
}

LogRequestScope::~LogRequestScope() { current_request = outer_; }

} // namespace vitrine::ops
