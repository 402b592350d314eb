#include "formats/xml_reader.hpp"

#include "base/text.hpp"
#include "formats/source.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vitrine::formats {
namespace {

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kReferenceLengthMax = 10;
constexpr std::string_view kBlanks = " \t\r\n";

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};

Error malformed() { return unsafe("has a descriptor that is no well-formed XML"); }

std::string_view without_prefix(std::string_view name) {
  return name.substr(name.find(':') == std::string_view::npos ? 0 : name.find(':') + 1);
}

bool is_name_character(char c) {
  return text::is_alnum(c) || c == ':' || c == '_' || c == '-' || c == '.' ||
         static_cast<unsigned char>(c) >= 0x80;
}

void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0U | point >> 6U);
    out += static_cast<char>(0x80U | (point & 0x3fU));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0U | point >> 12U);
    out += static_cast<char>(0x80U | (point >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (point & 0x3fU));
  } else {
    out += static_cast<char>(0xf0U | point >> 18U);
    out += static_cast<char>(0x80U | (point >> 12U & 0x3fU));
    out += static_cast<char>(0x80U | (point >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (point & 0x3fU));
  }
}

// What stands between & and ; of a reference.
Result<> append_reference(std::string& out, std::string_view reference) {
  if (!reference.starts_with('#')) {
    auto const* const at =
        std::ranges::find(kEntities, reference, &std::pair<std::string_view, char>::first);
    if (at == kEntities.end()) return malformed();
    out += at->second;
    return {};
  }
  bool const hex = reference.starts_with("#x");
  auto const digits = reference.substr(hex ? 2 : 1);
  std::uint32_t point = 0;
  auto const* const end = digits.data() + digits.size();
  auto const [stop, failed] = std::from_chars(digits.data(), end, point, hex ? 16 : 10);
  bool const surrogate = point >= 0xd800 && point < 0xe000;
  if (failed != std::errc() || stop != end || point == 0 || point > 0x10ffff || surrogate) {
    return malformed();
  }
  append_utf8(out, point);
  return {};
}

} // namespace

std::string_view XmlReader::attribute(std::string_view name) const noexcept {
  auto const at =
      std::ranges::find(attributes_, name, &std::pair<std::string_view, std::string>::first);
  return at == attributes_.end() ? std::string_view() : at->second;
}

Result<XmlReader::Token> XmlReader::next() {
  if (rest_.size() == size_) {
    if (!text::is_utf8(rest_) || rest_.find('\0') != std::string_view::npos) return malformed();
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }
  attributes_.clear();
  if (std::exchange(closes_itself_, false)) {
    name_ = without_prefix(open_.back());
    open_.pop_back();
    return Token::end;
  }
  text_.clear();
  while (!rest_.empty()) {
    if (rest_.front() == '<') {
      auto const before = rest_.size();
      auto const token = TRY(markup());
      CHECK(rest_.size() < before);
      if (token != Token::done) return token;
      continue;
    }
    auto const raw = rest_.substr(0, rest_.find('<'));
    rest_.remove_prefix(raw.size());
    if (open_.empty()) {
      if (raw.find_first_not_of(kBlanks) != std::string_view::npos) return malformed();
      continue;
    }
    TRY(decode(raw));
    return Token::text;
  }
  if (!open_.empty() || !has_root_) return malformed();
  return Token::done;
}

/// What begins with `<`; `done` for what says nothing, as a comment.
Result<XmlReader::Token> XmlReader::markup() {
  constexpr std::string_view kData = "<![CDATA[";
  if (rest_.starts_with("<!--")) {
    rest_.remove_prefix(4);
    TRY(skip_past("-->"));
    return Token::done;
  }
  if (rest_.starts_with("<?")) {
    TRY(skip_past("?>"));
    return Token::done;
  }
  if (rest_.starts_with(kData) && !open_.empty()) {
    rest_.remove_prefix(kData.size());
    auto const end = rest_.find("]]>");
    if (end == std::string_view::npos) return malformed();
    text_ = rest_.substr(0, end);
    rest_.remove_prefix(end + 3);
    return Token::text;
  }
  if (rest_.starts_with("<!")) return unsafe("has a descriptor with a document type");
  return rest_.starts_with("</") ? end_element() : begin_element();
}

Result<XmlReader::Token> XmlReader::begin_element() {
  rest_.remove_prefix(1);
  auto const name = take_name();
  if (name.empty() || (open_.empty() && has_root_)) return malformed();
  if (open_.size() == kDepthMax) return unsafe("has a descriptor that is nested too deeply");
  has_root_ = true;
  open_.push_back(name);
  name_ = without_prefix(name);
  for (;;) {
    auto const blank = rest_.find_first_of(kBlanks) == 0;
    skip_blanks();
    closes_itself_ = rest_.starts_with("/>");
    if (closes_itself_ || rest_.starts_with('>')) break;
    if (!blank) return malformed();
    TRY(read_attribute());
  }
  rest_.remove_prefix(closes_itself_ ? 2 : 1);
  return Token::begin;
}

Result<XmlReader::Token> XmlReader::end_element() {
  rest_.remove_prefix(2);
  auto const name = take_name();
  skip_blanks();
  if (open_.empty() || name != open_.back() || !rest_.starts_with('>')) return malformed();
  rest_.remove_prefix(1);
  open_.pop_back();
  name_ = without_prefix(name);
  return Token::end;
}

Result<> XmlReader::read_attribute() {
  auto const name = take_name();
  skip_blanks();
  if (name.empty() || !rest_.starts_with('=')) return malformed();
  rest_.remove_prefix(1);
  skip_blanks();
  if (!rest_.starts_with('"') && !rest_.starts_with('\'')) return malformed();
  auto const end = rest_.find(rest_.front(), 1);
  if (end == std::string_view::npos) return malformed();
  auto const raw = rest_.substr(1, end - 1);
  rest_.remove_prefix(end + 1);
  if (raw.find('<') != std::string_view::npos) return malformed();
  text_.clear();
  TRY(decode(raw));
  attributes_.emplace_back(without_prefix(name), std::exchange(text_, {}));
  return {};
}

Result<> XmlReader::skip_past(std::string_view end) {
  auto const at = rest_.find(end);
  if (at == std::string_view::npos) return malformed();
  rest_.remove_prefix(at + end.size());
  return {};
}

/// Adds to the text; it grows by no reference.
Result<> XmlReader::decode(std::string_view raw) {
  while (!raw.empty()) {
    auto const plain = raw.substr(0, raw.find('&'));
    text_ += plain;
    raw.remove_prefix(plain.size());
    if (raw.empty()) break;
    auto const end = raw.substr(0, kReferenceLengthMax).find(';');
    if (end == std::string_view::npos) return malformed();
    TRY(append_reference(text_, raw.substr(1, end - 1)));
    raw.remove_prefix(end + 1);
  }
  return {};
}

std::string_view XmlReader::take_name() {
  auto const* const end = std::ranges::find_if_not(rest_, is_name_character);
  auto const name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  rest_.remove_prefix(name.size());
  return name;
}

void XmlReader::skip_blanks() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
}

} // namespace vitrine::formats
