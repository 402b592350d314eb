// One SELECT that answers many of the same kind: the server begins it once.
#pragma once

#include "store/metadata/connection.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vitrine::store::postgres {

/// The text that runs a SELECT for many rows of parameters at once. Its parameters are arrays as
/// texts, one for each of the `params`, which are one row of them and no nulls; what it finds has
/// one more column, the last: the place of the row of parameters, from 1.
std::string widen_read(std::string_view text, std::span<Param const> params);

/// A column of the rows, as an array of PostgreSQL in words (its manual, 8.15.6).
std::string array_of(std::span<std::span<Param const> const> rows, std::size_t column);

} // namespace vitrine::store::postgres
