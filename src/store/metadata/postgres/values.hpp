// Values as libpq takes and gives them.
#pragma once

#include "store/metadata/connection.hpp"

#include <array>
#include <cstdint>
#include <libpq-fe.h>
#include <span>
#include <string_view>
#include <vector>

namespace vitrine::store::postgres {

/// A row of a result, which must outlive it.
class PostgresRow final : public Row {
public:
  PostgresRow(PGresult* result, int row) : result_(result), row_(row) {}

  [[nodiscard]] bool is_null(int column) const override;
  [[nodiscard]] std::int64_t integer(int column) const override;
  [[nodiscard]] std::string_view text(int column) const override;

private:
  PGresult* result_;
  int row_;
};

/// How many rows a statement changed.
[[nodiscard]] std::int64_t changed_rows(PGresult* result);

/// Parameters: texts as they lie, which must outlive these, numbers as digits. Their types are left
/// to the server, which knows the columns they are compared with.
class Arguments {
public:
  explicit Arguments(std::span<Param const> params);

  [[nodiscard]] int count() const { return static_cast<int>(values_.size()); }
  [[nodiscard]] char const* const* values() const { return values_.data(); }
  [[nodiscard]] int const* lengths() const { return lengths_.data(); }
  [[nodiscard]] int const* formats() const { return formats_.data(); }

private:
  using Digits = std::array<char, 24>;

  void add(Param const& param, Digits& digits);
  void add(char const* value, int length, int format);

  std::vector<Digits> digits_;
  std::vector<char const*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

/// Whether a text holds a NUL character, which PostgreSQL does not store.
[[nodiscard]] bool has_nul(std::span<Param const> params);

} // namespace vitrine::store::postgres
