#include "tunnelmgr/mcast/link.hpp"

#include <gtest/gtest.h>

namespace hearthcast::mcast {
namespace {

linux::Interface link(unsigned index, const char* name, bool up = true, bool multicast = true) {
  linux::Interface out;
  out.index = index;
  out.name = name;
  out.up = up;
  out.multicast = multicast;
  out.loopback = std::string_view(name) == "lo";
  return out;
}

const std::vector<linux::Interface> kHome{link(1, "lo"), link(2, "eth0"), link(3, "eth1"),
                                          link(4, "wlan0", false), link(5, "tun0", true, false)};

std::string picked(const std::vector<linux::Interface>& all, const std::string& wanted,
                   std::optional<unsigned> route = std::nullopt) {
  const auto chosen = pick_interface(all, wanted, route);
  return chosen ? chosen->name : chosen.error().text;
}

TEST(PickInterface, TakesTheOneThatIsNamed) {
  EXPECT_EQ(picked(kHome, "eth1"), "eth1");
  EXPECT_EQ(picked(kHome, "3"), "eth1");
  EXPECT_EQ(picked(kHome, "lo"), "lo") << "for a trial on one machine";
  EXPECT_EQ(picked(kHome, "tun0"), "tun0") << "whoever names it knows";
  EXPECT_EQ(picked(kHome, "wlan0"), "interface wlan0 is down: ip link set wlan0 up");
  EXPECT_EQ(picked(kHome, "eth9"), "there is no interface 'eth9'; these are up and do multicast: eth0 eth1");
}

TEST(PickInterface, ElseThatOfTheDefaultRoute) {
  EXPECT_EQ(picked(kHome, "", 3), "eth1");
  EXPECT_EQ(picked(kHome, "", 5), "say --interface NAME; these are up and do multicast: eth0 eth1");
}

TEST(PickInterface, ElseTheOnlyOneThereIs) {
  EXPECT_EQ(picked({link(1, "lo"), link(2, "eth0")}, ""), "eth0");
  EXPECT_EQ(picked(kHome, ""), "say --interface NAME; these are up and do multicast: eth0 eth1");
  EXPECT_EQ(picked({link(1, "lo")}, ""), "no interface is up and does multicast");
  EXPECT_EQ(picked({link(1, "lo")}, "eth0"),
            "there is no interface 'eth0'; these are up and do multicast: none");
}

}  // namespace
}  // namespace hearthcast::mcast
