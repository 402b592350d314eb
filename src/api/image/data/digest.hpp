// What a client says the hashes of the data are that it sends (RFC 9530).
#pragma once

#include "base/result.hpp"
#include "net/message.hpp"
#include "service/expected_hash.hpp"

#include <string_view>
#include <vector>

namespace vitrine::api::image {

inline constexpr std::string_view kContentDigest = "Content-Digest";
inline constexpr std::string_view kReprDigest = "Repr-Digest";

/// The SHA-256 and SHA-512 that `Content-Digest` and `Repr-Digest` name, each as often as it is
/// named: data that is sent whole and without a coding is its own representation. Other algorithms
/// are left out, as RFC 9530 says of those that a server does not know. Error: `invalid_value` for
/// a value of these two that is not base64 of as many bytes between colons.
Result<std::vector<service::ExpectedHash>> expected_hashes(net::RequestHead const& head);

} // namespace vitrine::api::image
