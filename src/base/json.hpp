// JSON: parsing through Boost.JSON with our limits, and an appending writer for answers.
//
// Parsed values are Boost.JSON's own; the writer exists because answers are rendered straight into
// their buffer, without building a tree first.
#pragma once

#include "base/result.hpp"

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::json {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

/// Parses one JSON text (RFC 8259): UTF-8, no comments, nesting up to 32, no duplicate-key check
/// (the last wins). Errors: `invalid_body` with the reason. An empty text is an error; callers
/// treat it before. The value of a long text and all that is moved or copied out of it share memory
/// that is freed in one piece: of one thread at a time.
Result<Value> parse(std::string_view text);

inline std::string_view view(boost::json::string const& text) { return {text.data(), text.size()}; }

/// A whole number: an integer, or a double without fraction (`1e3`), within int64; nothing
/// otherwise.
std::optional<std::int64_t> whole_number(Value const& value);

/// Appends a quoted, escaped JSON string. `text` must be UTF-8.
void append_string(std::string& out, std::string_view text);

/// Compact JSON text of a value.
std::string to_text(Value const& value);

/// Writes JSON into a string, taking care of commas. Not thread-safe. Nothing is checked: the
/// caller opens and closes what it writes.
class Writer {
public:
  explicit Writer(std::string& out) : out_(out) {}

  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }

  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& integer(std::int64_t value);
  Writer& number(double value);
  Writer& boolean(bool value);
  Writer& null();
  Writer& raw(std::string_view json); ///< JSON text as it is, as one value
  Writer& value(Value const& value);

  Writer& field(std::string_view name, std::string_view text) { return key(name).string(text); }
  Writer& field(std::string_view name, char const* text) { return key(name).string(text); }
  Writer& field(std::string_view name, std::int64_t number) { return key(name).integer(number); }
  Writer& field(std::string_view name, int number) { return key(name).integer(number); }
  Writer& field(std::string_view name, bool flag) { return key(name).boolean(flag); }
  Writer& null_field(std::string_view name) { return key(name).null(); }

private:
  Writer& open(char bracket);
  Writer& close(char bracket);
  void separate();

  std::string& out_;
  bool comma_{false};
};

} // namespace vitrine::json
