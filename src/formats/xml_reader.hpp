// XML as strangers write it, read from start to end: what documents of data need, and no more.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::formats {

/// Names are without their prefix: what it stands for is not looked up.
class XmlReader {
public:
  enum class Token : std::uint8_t {
    begin, ///< of the element `name`
    text,  ///< of the innermost element
    end,   ///< of the element `name`
    done,  ///< of the document
  };

  /// `document` must stay; a few KiB of memory beside it. A document type is refused, and with it
  /// every entity but the five that XML itself has: they name files and grow without bound.
  explicit XmlReader(std::string_view document) : rest_(document), size_(document.size()) {}

  /// The next token; not after `done`. Fault::format_unsafe: no well-formed UTF-8 document, or
  /// elements nested deeper than 64.
  Result<Token> next();

  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] std::string const& text() const noexcept { return text_; }
  /// Of the element that has just begun; empty when it is absent. Of two prefixes the first counts.
  [[nodiscard]] std::string_view attribute(std::string_view name) const noexcept;
  /// Elements that are open, this one included.
  [[nodiscard]] std::size_t depth() const noexcept { return open_.size(); }

private:
  Result<Token> markup();
  Result<Token> begin_element();
  Result<Token> end_element();
  Result<> read_attribute();
  Result<> skip_past(std::string_view end);
  Result<> decode(std::string_view raw);
  std::string_view take_name();
  void skip_blanks();

  std::string_view rest_;
  std::size_t const size_;
  std::vector<std::string_view> open_; ///< with their prefixes
  std::string_view name_;
  std::string text_;
  std::vector<std::pair<std::string_view, std::string>> attributes_;
  bool closes_itself_{false};
  bool has_root_{false};
};

} // namespace vitrine::formats
