#include "base/network.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace vitrine {

std::string network_of(std::string_view address) {
  std::string text(address);
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  text.resize(INET6_ADDRSTRLEN);
  inet_ntop(AF_INET6, bytes.data(), text.data(), INET6_ADDRSTRLEN);
  text.resize(text.find('\0'));
  return text + "/64";
}

} // namespace vitrine
