#include "service/expected_hash.hpp"

#include <fmt/format.h>

namespace vitrine::service {

Error differs_from(ExpectedHash const& expected, std::string_view found) {
  return error(Fault::invalid_value,
               fmt::format("The {} of the data is {}, not {} as {} says.",
                           name_of(expected.algorithm), found, expected.value, expected.field),
               std::string(expected.field));
}

} // namespace vitrine::service
