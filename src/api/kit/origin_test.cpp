#include "api/kit/origin.hpp"

#include <gtest/gtest.h>

namespace vitrine::api {
namespace {

net::RequestHead from(std::string peer, std::vector<std::string> const& forwarded) {
  net::RequestHead head;
  head.remote_address = std::move(peer);
  for (auto const& value : forwarded)
    head.headers.push_back({"x-forwarded-for", value});
  return head;
}

class ClientAddress : public ::testing::Test {
protected:
  Origin const behind_proxies{"", {"10.0.0.0/8", "fd00::/8"}};

  std::string of(std::string const& peer, std::vector<std::string> const& forwarded) const {
    return behind_proxies.client_of(from(peer, forwarded));
  }
};

TEST_F(ClientAddress, is_the_peer_when_it_is_no_proxy) {
  EXPECT_EQ(of("192.0.2.1", {"198.51.100.7"}), "192.0.2.1");
  EXPECT_EQ(Origin("", {}).client_of(from("10.0.0.1", {"198.51.100.7"})), "10.0.0.1");
}

TEST_F(ClientAddress, is_the_nearest_that_is_no_proxy) {
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.7"}), "198.51.100.7");
  EXPECT_EQ(of("10.0.0.1", {"203.0.113.9, 198.51.100.7, 10.1.1.1"}), "198.51.100.7");
  EXPECT_EQ(of("fd00::1", {"2001:db8::7"}), "2001:db8::7");
}

TEST_F(ClientAddress, counts_every_line_of_the_header_so_that_a_client_cannot_name_another) {
  EXPECT_EQ(of("10.0.0.1", {"203.0.113.9", "198.51.100.7"}), "198.51.100.7");
}

TEST_F(ClientAddress, goes_no_further_than_what_is_an_address) {
  EXPECT_EQ(of("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.7, unknown"}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {"10.2.2.2"}), "10.2.2.2");
  EXPECT_EQ(of("10.0.0.1", {""}), "10.0.0.1");
}

// `X-Forwarded-Host` comes from a proxy, but the proxy may have it from anybody.
TEST(BaseUrl, NamesNoHostThatIsNone) {
  Origin const behind_proxies("", {"10.0.0.0/8"});
  auto const url_of = [&](std::string const& forwarded) {
    net::RequestHead head;
    head.remote_address = "10.0.0.1";
    head.headers = {{"Host", "here:80"}, {"X-Forwarded-Host", forwarded}};
    return behind_proxies.of(head);
  };
  EXPECT_EQ(url_of("a.b:9292"), "http://a.b:9292");
  EXPECT_EQ(url_of("[::1]:9292, inner"), "http://[::1]:9292");
  for (std::string const wrong : {"[::1", "1.2.3.4:80:80", "x:99999", "a%41", "a!b", "a/b", ""})
    EXPECT_EQ(url_of(wrong), "http://here:80") << wrong;
}

} // namespace
} // namespace vitrine::api
