// The parameters of a statement, by their places in its text.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace vitrine::store::postgres {

/// The text with each `$n` replaced by what `word` gives for n.
std::string with_parameters(std::string_view text,
                            std::function<std::string(std::size_t number)> const& word);

} // namespace vitrine::store::postgres
