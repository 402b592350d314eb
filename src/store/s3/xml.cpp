#include "store/s3/xml.hpp"

#include <array>
#include <optional>
#include <utility>

namespace vitrine::store::s3 {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

// The element of that name that begins first at or behind `at`, which moves behind its end.
std::optional<std::string_view> next_element(std::string_view xml, std::string_view name,
                                             std::size_t& at) {
  auto const open = "<" + std::string(name);
  for (;;) {
    at = xml.find(open, at);
    if (at == std::string_view::npos) return std::nullopt;
    at += open.size();
    auto const next = at < xml.size() ? xml[at] : '\0';
    if (next == '>' || next == ' ' || next == '/') break; // else only the start of its name
  }
  auto const begin = xml.find('>', at);
  if (begin == std::string_view::npos) return std::nullopt;
  at = begin + 1;
  if (xml[begin - 1] == '/') return std::string_view();
  auto const close = "</" + std::string(name) + ">";
  auto const end = xml.find(close, at);
  if (end == std::string_view::npos) return std::nullopt;
  auto const inner = xml.substr(at, end - at);
  at = end + close.size();
  return inner;
}

std::string decode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    char c = text.front();
    std::size_t length = 1;
    for (auto const& [entity, meant] : kEntities) {
      if (!text.starts_with(entity)) continue;
      c = meant;
      length = entity.size();
    }
    out += c;
    text.remove_prefix(length);
  }
  return out;
}

} // namespace

void each_element(std::string_view xml, std::string_view name,
                  std::function<void(std::string_view)> const& each) {
  std::size_t at = 0;
  while (auto const inner = next_element(xml, name, at))
    each(*inner);
}

bool has_element(std::string_view xml, std::string_view name) {
  std::size_t at = 0;
  return next_element(xml, name, at).has_value();
}

std::string text_in(std::string_view xml, std::string_view name) {
  std::size_t at = 0;
  return decode(next_element(xml, name, at).value_or(""));
}

} // namespace vitrine::store::s3
