#include "store/metadata/postgres/values.hpp"

#include <charconv>

namespace vitrine::store::postgres {
namespace {

std::int64_t number_of(std::string_view digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

} // namespace

bool PostgresRow::is_null(int column) const { return PQgetisnull(result_, row_, column) != 0; }

std::int64_t PostgresRow::integer(int column) const { return number_of(text(column)); }

std::string_view PostgresRow::text(int column) const {
  return {PQgetvalue(result_, row_, column),
          static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

std::int64_t changed_rows(PGresult* result) { return number_of(PQcmdTuples(result)); }

Arguments::Arguments(std::span<Param const> params) : digits_(params.size()) {
  for (std::size_t i = 0; i < params.size(); ++i)
    add(params[i], digits_[i]);
}

void Arguments::add(Param const& param, Digits& digits) {
  switch (param.type()) {
  case Param::Type::null: return add(nullptr, 0, 0);
  case Param::Type::integer:
    *std::to_chars(digits.data(), digits.data() + digits.size() - 1, param.integer()).ptr = '\0';
    return add(digits.data(), 0, 0);
  case Param::Type::text: break;
  }
  auto const text = param.text();
  add(text.data() == nullptr ? "" : text.data(), static_cast<int>(text.size()), 1);
}

void Arguments::add(char const* value, int length, int format) {
  values_.push_back(value);
  lengths_.push_back(length);
  formats_.push_back(format);
}

bool has_nul(std::span<Param const> params) {
  for (auto const& param : params) {
    if (param.type() == Param::Type::text && param.text().contains('\0')) return true;
  }
  return false;
}

} // namespace vitrine::store::postgres
