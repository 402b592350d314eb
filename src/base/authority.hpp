// The part of a URL that names the server, as in the Host header.
#pragma once

#include <string_view>

namespace vitrine {

/// True for a host, or a host and a port behind a colon (RFC 3986 3.2.2, 3.2.3): a name, an IPv4
/// address or an IPv6 address in brackets; the port may be empty, and is 65535 at most. Zone ids
/// and addresses of later versions of IP are none.
bool is_authority(std::string_view text) noexcept;

} // namespace vitrine
