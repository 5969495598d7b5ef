#include "tunnelmgr/base/home_host.hpp"

#include <gtest/gtest.h>

namespace hearthcast {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

TEST(HomeHost, IsReadAndWrittenInTheShortestForm) {
  const std::pair<const char*, const char*> forms[] = {
      {"192.168.1.50", "192.168.1.50"},
      {"192.168.1.50/32", "192.168.1.50"},
      {"192.168.1.50:80", "192.168.1.50:80"},
      {"192.168.1.50:80-80", "192.168.1.50:80"},
      {"192.168.1.50:8000-8100", "192.168.1.50:8000-8100"},
      {"192.168.1.0/24", "192.168.1.0/24"},
      {"192.168.1.0/24:1-65535", "192.168.1.0/24"},
      {"10.20.0.0/16:443", "10.20.0.0/16:443"},
      {"fd00::5", "fd00::5"},
      {"[fd00::5]", "fd00::5"},
      {"[fd00::5]:80", "[fd00::5]:80"},
      {"fd00::/64", "fd00::/64"},
      {"[fd00::/64]:80-81", "[fd00::/64]:80-81"},
  };
  for (const auto& [written, shortest] : forms) {
    const auto host = HomeHost::parse(written);
    ASSERT_TRUE(host) << written;
    EXPECT_EQ(host->to_string(), shortest);
    EXPECT_EQ(HomeHost::parse(host->to_string()), host);
  }
}

TEST(HomeHost, WhatIsNotOfAHomeIsNone) {
  for (const char* wrong : {"",
                            "nas",
                            "nas.local",
                            "8.8.8.8",
                            "192.168.1.1/24",
                            "10.0.0.0/8",
                            "192.168.0.0/15",
                            "127.0.0.1",
                            "224.0.0.1",
                            "169.254.1.1",
                            "0.0.0.0",
                            "::1",
                            "fe80::1",
                            "ff05::1",
                            "2001:db8::1",
                            "fd00::/48",
                            "::",
                            "192.168.1.50:",
                            "192.168.1.50:0",
                            "192.168.1.50:65536",
                            "192.168.1.50:80-",
                            "192.168.1.50:-80",
                            "192.168.1.50:81-80",
                            "192.168.1.50:80,81",
                            "192.168.1.50:http",
                            " 192.168.1.50",
                            "192.168.1.50 ",
                            "[192.168.1.50]:80",
                            "[fd00::5",
                            "[fd00::5]80",
                            "[fd00::5]:",
                            "fd00::5]:80",
                            "[]:80",
                            "192.168.1.50/33"}) {
    EXPECT_FALSE(HomeHost::parse(wrong)) << wrong;
  }
}

TEST(HomeHost, IncludesItsHostsAtItsPorts) {
  const auto one = *HomeHost::parse("192.168.1.0/24:80-82");
  for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{81}, std::uint16_t{82}}) {
    EXPECT_TRUE(one.includes(ip("192.168.1.7"), port));
    EXPECT_FALSE(one.includes(ip("192.168.2.7"), port));
    EXPECT_FALSE(one.includes(ip("fd00::7"), port));
  }
  EXPECT_FALSE(one.includes(ip("192.168.1.7"), 79));
  EXPECT_FALSE(one.includes(ip("192.168.1.7"), 83));
  EXPECT_FALSE(HomeHost::parse("192.168.1.7")->includes(ip("192.168.1.7"), 0)) << "no port at all";
}

TEST(HomeHosts, AnyOfThemMayInclude) {
  const HomeHosts all{*HomeHost::parse("192.168.1.7:80"), *HomeHost::parse("[fd00::/64]:443")};
  EXPECT_TRUE(any_includes(all, ip("192.168.1.7"), 80));
  EXPECT_TRUE(any_includes(all, ip("fd00::9"), 443));
  EXPECT_FALSE(any_includes(all, ip("192.168.1.7"), 443));
  EXPECT_FALSE(any_includes(HomeHosts(), ip("192.168.1.7"), 80));
  EXPECT_TRUE(any_includes(all, ip("192.168.1.7"))) << "whatever the port";
  EXPECT_FALSE(any_includes(all, ip("192.168.1.8")));
}

}  // namespace
}  // namespace hearthcast
