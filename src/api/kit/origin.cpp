#include "api/kit/origin.hpp"

#include "base/authority.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>

namespace vitrine::api {
namespace {

using Address = std::array<std::uint8_t, 16>;

// IPv4 is compared as IPv4-mapped IPv6. `bits` of the address family are moved along.
std::optional<Address> parse_address(std::string const& text, int& bits) {
  Address out{};
  if (inet_pton(AF_INET6, text.c_str(), out.data()) == 1) return out;
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, text.c_str(), v4.data()) != 1) return std::nullopt;
  out = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, v4[0], v4[1], v4[2], v4[3]};
  bits += 96;
  return out;
}

bool in_block(Address const& address, std::string_view block) {
  auto const slash = block.find('/');
  int offset = 0;
  auto const base = parse_address(std::string(block.substr(0, slash)), offset);
  if (!base) return false;
  auto const given =
      slash == std::string_view::npos ? std::nullopt : text::parse_int(block.substr(slash + 1));
  if (slash != std::string_view::npos && (!given || *given < 0 || *given > 128 - offset))
    return false;
  auto const bits = given ? static_cast<int>(*given) + offset : 128;
  for (int bit = 0; bit < bits; ++bit) {
    auto const index = static_cast<std::size_t>(bit / 8);
    auto const mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    if ((address[index] & mask) != ((*base)[index] & mask)) return false;
  }
  return true;
}

// Nothing that could break out of a URL, not even what RFC 3986 lets stand in a name.
bool is_host(std::string_view text) {
  return text.size() <= 255 && is_authority(text) && std::ranges::all_of(text, [](char c) {
           return text::is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' ||
                  c == ']';
         });
}

bool is_prefix(std::string_view text) {
  return text.starts_with('/') && !text.starts_with("//") && std::ranges::all_of(text, [](char c) {
           return text::is_alnum(c) || c == '/' || c == '-' || c == '_' || c == '.' || c == '~';
         });
}

// The first element of a list: the proxy next to the client put it there.
std::string_view first_of(std::string_view list) {
  return text::trim(list.substr(0, list.find(',')));
}

// Every line of a header as one list: a proxy may add a line where the client sent one.
std::string all_of(net::RequestHead const& head, std::string_view name) {
  std::string list;
  for (auto const& header : head.headers) {
    if (!text::equals_ignoring_case(header.name, name)) continue;
    if (!list.empty()) list += ',';
    list += header.value;
  }
  return list;
}

} // namespace

Origin::Origin(std::string public_endpoint, std::vector<std::string> trusted_proxies)
    : public_endpoint_([&] {
        while (public_endpoint.ends_with('/'))
          public_endpoint.pop_back();
        return std::move(public_endpoint);
      }()),
      trusted_proxies_(std::move(trusted_proxies)) {}

bool Origin::is_trusted(std::string_view text) const {
  if (trusted_proxies_.empty()) return false;
  int offset = 0;
  auto const address = parse_address(std::string(text), offset);
  return address && std::ranges::any_of(trusted_proxies_, [&](std::string const& block) {
           return in_block(*address, block);
         });
}

std::string Origin::client_of(net::RequestHead const& head) const {
  std::string nearest = head.remote_address;
  if (!is_trusted(nearest)) return nearest;
  auto const chain = all_of(head, "X-Forwarded-For");
  std::string_view list = chain;
  while (!list.empty() && is_trusted(nearest)) {
    auto const comma = list.rfind(',');
    std::string const before(text::trim(list.substr(comma + 1))); // npos + 1 is the start
    int offset = 0;
    if (!parse_address(before, offset)) break;
    nearest = before;
    list = list.substr(0, comma == std::string_view::npos ? 0 : comma);
  }
  return nearest;
}

std::string Origin::of(net::RequestHead const& head) const {
  if (!public_endpoint_.empty()) return public_endpoint_;
  std::string_view scheme = head.tls ? "https" : "http";
  std::string_view host = head.header("Host").value_or("");
  std::string_view prefix;
  if (is_trusted(head.remote_address)) {
    auto const proto = first_of(head.header("X-Forwarded-Proto").value_or(""));
    if (proto == "https" || proto == "http") scheme = proto;
    auto const forwarded = first_of(head.header("X-Forwarded-Host").value_or(""));
    if (is_host(forwarded)) host = forwarded;
    auto const wanted = first_of(head.header("X-Forwarded-Prefix").value_or(""));
    if (is_prefix(wanted)) prefix = wanted;
  }
  while (prefix.ends_with('/'))
    prefix.remove_suffix(1);
  std::string out(scheme);
  out += "://";
  out += is_host(host) ? host : "localhost";
  return out += prefix;
}

} // namespace vitrine::api
