// Whose an address is, as far as that can be told from it.
#pragma once

#include <string>
#include <string_view>

namespace vitrine {

/// What counts as one client: an IPv4 address, and of IPv6 the /64 that one customer has whole. A
/// text that is no address stays as it is.
std::string network_of(std::string_view address);

} // namespace vitrine
