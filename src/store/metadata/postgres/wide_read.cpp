#include "store/metadata/postgres/wide_read.hpp"

#include "store/metadata/postgres/parameters.hpp"

#include <fmt/format.h>

namespace vitrine::store::postgres {
namespace {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char const c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

} // namespace

std::string widen_read(std::string_view text, std::span<Param const> params) {
  // A SELECT of its own hides from the planner how long the arrays are: for each length it would
  // plan anew, which takes longer than the read.
  std::string arrays;
  std::string names;
  for (std::size_t i = 1; i <= params.size(); ++i) {
    auto const* type = params[i - 1].type() == Param::Type::integer ? "bigint" : "text";
    arrays += fmt::format("{}(SELECT ${}::text::{}[])", i == 1 ? "" : ", ", i, type);
    names += fmt::format("p{}, ", i);
  }
  auto const one =
      with_parameters(text, [](std::size_t number) { return fmt::format("k.p{}", number); });
  return fmt::format("SELECT found.*, k.place FROM unnest({}) WITH ORDINALITY AS k({}place) "
                     "CROSS JOIN LATERAL ({}) AS found",
                     arrays, names, one);
}

std::string array_of(std::span<std::span<Param const> const> rows, std::size_t column) {
  std::string out = "{";
  for (auto const& row : rows) {
    if (out.size() > 1) out += ',';
    auto const& param = row[column];
    if (param.type() == Param::Type::integer) {
      out += fmt::format("{}", param.integer());
    } else {
      append_quoted(out, param.text());
    }
  }
  return out + '}';
}

} // namespace vitrine::store::postgres
