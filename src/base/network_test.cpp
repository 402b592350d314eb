#include "base/network.hpp"

#include <gtest/gtest.h>

namespace vitrine {

TEST(Network, is_an_address_or_the_64_bits_that_a_customer_has) {
  EXPECT_EQ(network_of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("2001:db8:1:2::7"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("2001:db8:1:3::7"), "2001:db8:1:3::/64");
  EXPECT_EQ(network_of("no address"), "no address");
}

} // namespace vitrine
