// One INSERT of many rows out of one of a single row: the server plans and begins it once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vitrine::store::postgres {

/// The text that inserts `rows` rows at once, its parameters those of the first row, then those of
/// the second, and so on; `params` of each. Empty when `text` is no INSERT of one row of VALUES.
std::string widen(std::string_view text, std::size_t params, std::size_t rows);

} // namespace vitrine::store::postgres
