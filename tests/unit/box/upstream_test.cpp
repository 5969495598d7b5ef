#include "appliance/app/upstream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::app {
namespace {

using testing::HasSubstr;

linux::Interface make(unsigned index, const std::string& name) {
  linux::Interface made;
  made.index = index;
  made.name = name;
  made.up = true;
  made.running = true;
  made.loopback = name == "lo";
  made.multicast = true;
  made.mtu = 1500;
  return made;
}

TEST(Upstream, TheNamedInterfaceIsTaken) {
  const std::vector<linux::Interface> all{make(1, "lo"), make(2, "eth0"), make(3, "eth1")};
  EXPECT_EQ(pick_upstream(all, "eth1", {2})->index, 3U);
}

TEST(Upstream, ANameThatIsNotThereIsAFailureThatSaysWhatToDo) {
  const auto picked = pick_upstream({make(1, "lo")}, "eth7", {});
  ASSERT_FALSE(picked);
  EXPECT_THAT(picked.error().text, HasSubstr("eth7"));
  EXPECT_THAT(picked.error().text, HasSubstr("network.upstream_interface"));
}

TEST(Upstream, WithoutANameTheDefaultRouteDecides) {
  const std::vector<linux::Interface> all{make(1, "lo"), make(2, "eth0"), make(3, "eth1")};
  EXPECT_EQ(pick_upstream(all, "", {3, 2})->name, "eth1");
  EXPECT_EQ(pick_upstream(all, "", {9, 2})->name, "eth0");  // an index that is gone is passed over
}

TEST(Upstream, WithoutARouteTheOnlyCandidateIsTaken) {
  EXPECT_EQ(pick_upstream({make(1, "lo"), make(2, "eth0")}, "", {})->name, "eth0");
  auto down = make(3, "eth1");
  down.up = false;
  auto no_multicast = make(4, "tun0");
  no_multicast.multicast = false;
  EXPECT_EQ(pick_upstream({make(2, "eth0"), down, no_multicast}, "", {})->name, "eth0");
}

TEST(Upstream, TwoCandidatesAreAQuestionForTheOwner) {
  EXPECT_FALSE(pick_upstream({make(2, "eth0"), make(3, "eth1")}, "", {}));
  EXPECT_FALSE(pick_upstream({}, "", {}));
}

TEST(Upstream, WhatIsInsideTheTunnelsIsTold) {
  auto inside = make(4, "hearthcast0");
  inside.kind = "tun";
  EXPECT_TRUE(linux::is_inside_tunnels(inside));
  auto by_name_only = make(5, "hearthcast0");
  by_name_only.kind = "veth";
  EXPECT_FALSE(linux::is_inside_tunnels(by_name_only));
  auto other_vpn = make(6, "tun0");
  other_vpn.kind = "tun";
  EXPECT_FALSE(linux::is_inside_tunnels(other_vpn));
}

TEST(Upstream, JoiningWithoutAnInterfaceFailsInWords) {
  Upstream upstream("no-such-interface");
  EXPECT_TRUE(upstream.refresh());
  const auto joined = upstream.join({std::nullopt, *IpAddress::parse("239.1.2.3"), 5000});
  ASSERT_FALSE(joined);
  EXPECT_THAT(joined.error().text, HasSubstr("no-such-interface"));
}

TEST(Upstream, LoopbackAndLinkLocalAddressesAreNotOffered) {
  Upstream upstream("");
  upstream.refresh();
  for (const IpAddress& address : upstream.addresses()) {
    EXPECT_FALSE(address.is_loopback() || address.is_link_local()) << address.to_string();
  }
}

}  // namespace
}  // namespace hearthcast::app
