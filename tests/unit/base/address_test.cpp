#include "tunnelmgr/base/address.hpp"

#include <gtest/gtest.h>

namespace hearthcast {
namespace {

IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  EXPECT_EQ(address("192.0.2.1").to_string(), "192.0.2.1");
  EXPECT_EQ(address("2001:DB8:0:0::1").to_string(), "2001:db8::1");
  EXPECT_EQ(IpAddress::ip4(0xc0000201), address("192.0.2.1"));
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "2001:db8::g", "[::1]", "fe80::1%eth0"}) {
    EXPECT_FALSE(IpAddress::parse(bad)) << bad;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("192.0.2.1\0.example", 18)));
  EXPECT_FALSE(IpAddress::parse(std::string_view("::1\0", 4)));
}

TEST(IpAddress, KnowsItsKind) {
  EXPECT_TRUE(address("239.1.1.1").is_multicast());
  EXPECT_TRUE(address("ff3e::1").is_multicast());
  EXPECT_FALSE(address("240.0.0.1").is_multicast());
  EXPECT_TRUE(address("224.0.0.251").is_link_scope_multicast());
  EXPECT_TRUE(address("ff02::1").is_link_scope_multicast());
  EXPECT_FALSE(address("ff05::1").is_link_scope_multicast());
  EXPECT_TRUE(address("fe80::1").is_link_local());
  EXPECT_TRUE(address("169.254.9.9").is_link_local());
  for (const char* site : {"10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"}) {
    EXPECT_TRUE(address(site).is_private()) << site;
  }
  for (const char* global : {"172.32.0.1", "100.128.0.1", "198.51.100.1", "2001:db8::1"}) {
    EXPECT_FALSE(address(global).is_private()) << global;
  }
  EXPECT_TRUE(address("::1").is_loopback());
  EXPECT_TRUE(address("::").is_unspecified());
}

TEST(Endpoint, NeedsBracketsForIp6Only) {
  EXPECT_EQ(Endpoint::parse("192.0.2.1:4755")->to_string(), "192.0.2.1:4755");
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]:4755")->to_string(), "[2001:db8::1]:4755");
  for (const char* bad :
       {"192.0.2.1", "2001:db8::1:4755", "[192.0.2.1]:1", "192.0.2.1:65536", "192.0.2.1:", ":1"}) {
    EXPECT_FALSE(Endpoint::parse(bad)) << bad;
  }
}

TEST(FlowKey, PrintsTheSourceBeforeTheGroup) {
  EXPECT_EQ((FlowKey{address("2001:db8::1"), address("ff3e::1"), 5000}).to_string(),
            "[2001:db8::1]@[ff3e::1]:5000");
  EXPECT_EQ((FlowKey{std::nullopt, address("239.1.1.1"), 5000}).to_string(), "239.1.1.1:5000");
}

}  // namespace
}  // namespace hearthcast
