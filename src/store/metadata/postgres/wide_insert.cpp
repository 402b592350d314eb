#include "store/metadata/postgres/wide_insert.hpp"

#include "store/metadata/postgres/parameters.hpp"

#include <fmt/format.h>

namespace vitrine::store::postgres {
namespace {

constexpr std::string_view kValues = "VALUES (";

} // namespace

std::string widen(std::string_view text, std::size_t params, std::size_t rows) {
  auto const values = text.find(kValues);
  if (!text.starts_with("INSERT ") || values == std::string_view::npos) return {};
  auto const begin = values + kValues.size() - 1;
  auto const end = text.find(')', begin);
  if (end == std::string_view::npos) return {};
  auto const row = text.substr(begin, end + 1 - begin);
  // A row with calls or texts in which a bracket may stand is left alone.
  if (row.find('(', 1) != std::string_view::npos) return {};
  std::string out(text.substr(0, begin));
  for (std::size_t i = 0; i < rows; ++i) {
    auto const of_row = [&](std::size_t number) { return fmt::format("${}", number + i * params); };
    out += (i == 0 ? "" : ", ") + with_parameters(row, of_row);
  }
  out += text.substr(end + 1);
  return out;
}

} // namespace vitrine::store::postgres
