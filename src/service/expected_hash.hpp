// What a client says that the hash of data is.
#pragma once

#include "base/error.hpp"
#include "base/hash.hpp"

#include <string>
#include <string_view>

namespace vitrine::service {

/// The field of a request that says what the SHA-256 of its file is.
inline constexpr std::string_view kExpectedHashField = "__expected_sha256";

struct ExpectedHash {
  HashAlgorithm algorithm; ///< sha256 or sha512
  std::string value;       ///< lower-case hex
  std::string_view field;  ///< of the request, where it says so; a constant
};

/// `invalid_value`: the data has another one.
Error differs_from(ExpectedHash const& expected, std::string_view found);

} // namespace vitrine::service
