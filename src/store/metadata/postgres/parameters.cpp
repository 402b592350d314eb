#include "store/metadata/postgres/parameters.hpp"

#include <charconv>

namespace vitrine::store::postgres {

std::string with_parameters(std::string_view text,
                            std::function<std::string(std::size_t number)> const& word) {
  std::string out;
  while (!text.empty()) {
    auto const at = text.find('$');
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    std::size_t number = 0;
    auto const* const end = text.data() + text.size();
    auto const* const behind = std::from_chars(text.data() + at + 1, end, number).ptr;
    out += word(number);
    text = std::string_view(behind, static_cast<std::size_t>(end - behind));
  }
  return out;
}

} // namespace vitrine::store::postgres
