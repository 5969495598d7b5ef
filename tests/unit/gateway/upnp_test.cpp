#include "appliance/gateway/upnp.hpp"

#include <gtest/gtest.h>

namespace hearthcast::gateway {
namespace {

const IpAddress kRouter = *IpAddress::parse("192.168.1.1");

TEST(Upnp, TheRoutersOwnUrlsAreBelieved) {
  EXPECT_TRUE(is_of(kRouter, "http://192.168.1.1/"));
  EXPECT_TRUE(is_of(kRouter, "http://192.168.1.1:5000/rootDesc.xml"));
  EXPECT_TRUE(is_of(kRouter, "http://192.168.1.1:5000"));
}

TEST(Upnp, NobodyElsesAre) {
  for (const char* const url :
       {"http://192.168.1.2:5000/rootDesc.xml", "http://192.168.1.11/", "http://203.0.113.9/192.168.1.1",
        "https://192.168.1.1/", "http://192.168.1.1@203.0.113.9/", "http://router/", "192.168.1.1", "http://",
        ""}) {
    EXPECT_FALSE(is_of(kRouter, url)) << url;
  }
}

}  // namespace
}  // namespace hearthcast::gateway
