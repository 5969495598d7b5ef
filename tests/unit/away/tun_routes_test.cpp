#include "tunnelmgr/away/tun_routes.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/away/tun_membership.hpp"

namespace hearthcast::away {
namespace {

tunnel::Channel channel(const char* group) {
  return {ChannelId{1}, "One", {std::nullopt, *IpAddress::parse(group), 5000}, false, {}};
}

bool finds(const std::set<Prefix>& routes, const char* group) {
  const std::vector<Prefix> all(routes.begin(), routes.end());
  return any_contains(all, *IpAddress::parse(group));
}

TEST(TunRoutes, LeadSourceSpecificAndTransientGroupsToTheTunnel) {
  const auto routes = tun_routes({});
  for (const char* group : {"232.0.0.1", "232.255.1.1", "ff3e::8000:1", "ff38::1", "ff35::1", "ff34::1",
                            "ff1e::1234", "ff18::1", "ff15::1", "ff14::9", "ff7e:140:2001:db8::1"}) {
    EXPECT_TRUE(finds(routes, group)) << group;
  }
}

TEST(TunRoutes, LeaveAloneWhatBelongsToTheLaptopsNetwork) {
  const auto routes = tun_routes({});
  for (const char* group : {"224.0.0.251", "224.0.0.252", "224.0.0.22", "239.255.255.250", "224.0.1.1",
                            "ff02::fb", "ff02::16", "ff02::1", "ff12::1234", "ff32::1", "ff01::1", "ff11::1",
                            "ff05::c", "ff05::fb", "ff0e::fb", "ff0e::1", "ff05::1:3"}) {
    EXPECT_FALSE(finds(routes, group)) << group;
  }
}

TEST(TunRoutes, FollowTheChannelList) {
  const auto before = tun_routes({});
  const auto routes = tun_routes({channel("239.10.10.2"), channel("224.5.5.5"), channel("ff0e::4242"),
                                  channel("ff3e::1"), channel("232.1.1.1"), channel("239.10.10.2")});
  EXPECT_EQ(routes.size(), before.size() + 3) << "one for each group that has no route, and once";
  EXPECT_TRUE(finds(routes, "239.10.10.2"));
  EXPECT_FALSE(finds(routes, "239.10.10.3"));
  EXPECT_TRUE(finds(routes, "224.5.5.5"));
  EXPECT_TRUE(finds(routes, "ff0e::4242"));
}

// A box that lists such a channel, by mistake or malice, gets nothing of what machines say to each other.
TEST(TunRoutes, NoChannelTakesAwayTheNetworksOwnGroups) {
  for (const char* group : {"224.0.0.251", "239.255.255.250", "ff02::fb", "ff05::c", "ff0e::fb", "ff12::1",
                            "ff05::1:3", "ff05::1:1000"}) {
    EXPECT_EQ(tun_routes({channel(group)}), tun_routes({})) << group;
  }
}

TEST(LocalNetwork, IsToldFromProviders) {
  for (const char* group :
       {"224.0.0.1", "224.0.0.251", "239.255.255.250", "239.255.255.253", "ff02::1:ff00:1", "ff05::fb",
        "ff08::c", "ff0e::c", "ff05::116", "ff0e::101", "ff05::1:3", "ff05::1:13ff", "ff11::5"}) {
    EXPECT_TRUE(is_of_the_local_network(*IpAddress::parse(group))) << group;
  }
  for (const char* group : {"224.0.1.129", "232.1.1.1", "239.255.0.1", "239.1.1.1", "ff15::fb", "ff3e::c",
                            "ff0e::4242", "ff0e::1:1400", "ff05::2:c", "ff0e:1::c", "ff1e::1"}) {
    EXPECT_FALSE(is_of_the_local_network(*IpAddress::parse(group))) << group;
  }
}

linux::Interface at(const char* name, const char* address, unsigned prefix) {
  linux::Interface one;
  one.name = name;
  one.addresses.push_back({*IpAddress::parse(address), prefix});
  return one;
}

HomeHost home(const char* text) { return *HomeHost::parse(text); }

TEST(HomeRoutes, LeadHomeButForWhatIsAroundTheLaptopItself) {
  const std::vector<linux::Interface> own{at("lo", "127.0.0.1", 8), at("wlan0", "192.168.7.20", 24),
                                          at("eth0", "fd00:7::20", 64)};
  const HomeHosts hosts{home("192.168.1.50:80"), home("192.168.7.0/24"), home("192.168.7.9:80"),
                        home("192.168.0.0/16"),  home("fd00:7::9"),      home("fd00:8::/64")};
  const auto routes = home_routes(hosts, own);
  ASSERT_EQ(routes.size(), hosts.size());
  const char* obstacles[] = {"", "wlan0", "wlan0", "wlan0", "eth0", ""};
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    EXPECT_EQ(routes[i].host, hosts[i]);
    EXPECT_EQ(routes[i].obstacle, obstacles[i]) << hosts[i].to_string();
  }
  EXPECT_TRUE(home_routes({}, own).empty());
  EXPECT_EQ(home_routes({home("192.168.7.9:80")}, {})[0].obstacle, "");
}

}  // namespace
}  // namespace hearthcast::away
