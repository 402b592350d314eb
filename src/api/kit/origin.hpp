// Where the client believes it is talking to, the base of links in answers, and where it is.
#pragma once

#include "net/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::api {

/// Decides the base URL of a request. Immutable, thread-safe.
class Origin {
public:
  /// `public_endpoint` wins when set. `X-Forwarded-Proto`, `-Host` and `-Prefix` count only when
  /// the peer's address is one of `trusted_proxies` (addresses or CIDR blocks; unreadable ones
  /// never match).
  Origin(std::string public_endpoint, std::vector<std::string> trusted_proxies);

  /// `scheme://host[:port][/prefix]` without a trailing slash. A Host that is no host is left out
  /// of links.
  [[nodiscard]] std::string of(net::RequestHead const& head) const;
  /// The address of the client: the peer's or, behind trusted proxies, the nearest in
  /// `X-Forwarded-For` that is none of them. What is no address there is not believed.
  [[nodiscard]] std::string client_of(net::RequestHead const& head) const;

private:
  [[nodiscard]] bool is_trusted(std::string_view address) const;

  std::string const public_endpoint_;
  std::vector<std::string> const trusted_proxies_;
};

} // namespace vitrine::api
