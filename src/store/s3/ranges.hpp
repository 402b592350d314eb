// Reads a piece of an object.
#pragma once

#include "store/s3/calls.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::store::s3 {

/// Asks for `count` bytes, and for those of the object with that ETag when it is not empty.
std::vector<net::Header> range_headers(std::uint64_t offset, std::uint64_t count,
                                       std::string_view etag);

/// Fills the span, which must lie within the object. Errors: those of the calls; `unavailable` when
/// other bytes are answered than were asked for.
Result<> read_range(Calls const& calls, std::string_view key, std::string_view etag,
                    std::uint64_t offset, std::span<std::byte> into);

} // namespace vitrine::store::s3
