#include "tunnelmgr/linux/interfaces.hpp"

#include <gmock/gmock.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "tests/unit/linux/test_links.hpp"

namespace hearthcast::linux {
namespace {

void in_network(const std::function<void()>& body) {
  if (!in_private_network(1500, body)) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

void add_address_to_loopback(const char* text) {
  nl_sock* const socket = nl_socket_alloc();
  ASSERT_EQ(nl_connect(socket, NETLINK_ROUTE), 0);
  rtnl_addr* const entry = rtnl_addr_alloc();
  nl_addr* local = nullptr;
  ASSERT_EQ(nl_addr_parse(text, AF_UNSPEC, &local), 0);
  rtnl_addr_set_ifindex(entry, 1);
  rtnl_addr_set_local(entry, local);
  EXPECT_EQ(rtnl_addr_add(socket, entry, 0), 0);
  nl_addr_put(local);
  rtnl_addr_put(entry);
  nl_socket_free(socket);
}

TEST(Interfaces, ListsTheLoopbackWithItsAddresses) {
  const auto all = list_interfaces();
  ASSERT_TRUE(all) << all.error().text;
  const auto lo = std::ranges::find(*all, "lo", &Interface::name);
  ASSERT_NE(lo, all->end());
  EXPECT_TRUE(lo->loopback);
  EXPECT_TRUE(lo->up);
  EXPECT_GT(lo->index, 0U);
  EXPECT_THAT(lo->addresses, testing::Contains(InterfaceAddress{*IpAddress::parse("127.0.0.1"), 8}));
}

TEST(Interfaces, SeesOnlyItsNamespaceAndNoDefaultRouteThere) {
  in_network([] {
    const auto all = list_interfaces();
    ASSERT_TRUE(all);
    ASSERT_GE(all->size(), 1U);
    EXPECT_EQ(all->front().name, "lo");
    EXPECT_EQ(all->front().mtu, 1500U);
    EXPECT_EQ(default_route_interface(Family::kIp4), std::nullopt);
    EXPECT_EQ(default_route_interface(Family::kIp6), std::nullopt);
  });
}

TEST(Interfaces, FindsTheDefaultRoute) {
  in_network([] {
    add_address_to_loopback("192.0.2.1/24");
    nl_sock* const socket = nl_socket_alloc();
    ASSERT_EQ(nl_connect(socket, NETLINK_ROUTE), 0);
    rtnl_route* const route = rtnl_route_alloc();
    nl_addr* everywhere = nullptr;
    ASSERT_EQ(nl_addr_parse("0.0.0.0/0", AF_INET, &everywhere), 0);
    rtnl_route_set_dst(route, everywhere);
    rtnl_route_set_scope(route, RT_SCOPE_LINK);
    rtnl_nexthop* const hop = rtnl_route_nh_alloc();
    rtnl_route_nh_set_ifindex(hop, 1);
    rtnl_route_add_nexthop(route, hop);
    EXPECT_EQ(rtnl_route_add(socket, route, 0), 0);
    EXPECT_EQ(default_route_interface(Family::kIp4), 1U);
    nl_addr_put(everywhere);
    rtnl_route_put(route);
    nl_socket_free(socket);
  });
}

TEST(InterfaceMonitor, TellsOfANewAddress) {
  in_network([] {
    auto monitor = InterfaceMonitor::open();
    ASSERT_TRUE(monitor) << monitor.error().text;
    static_cast<void>(monitor->changed());  // the new loopback may still be settling
    add_address_to_loopback("2001:db8::7/64");
    pollfd news{monitor->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&news, 1, 10'000), 1);
    EXPECT_TRUE(monitor->changed());
    const auto all = list_interfaces();
    ASSERT_TRUE(all);
    EXPECT_THAT(all->front().addresses, testing::Contains(testing::Field(&InterfaceAddress::address,
                                                                         *IpAddress::parse("2001:db8::7"))));
  });
}

const Interface& named(const std::vector<Interface>& all, const std::string& name) {
  static const Interface none;
  const auto at = std::ranges::find(all, name, &Interface::name);
  EXPECT_NE(at, all.end()) << name;
  return at == all.end() ? none : *at;
}

TEST(Interfaces, TellsKindMasterLowerAndMac) {
  in_links([] {
    add_cable("port0", "wall0");
    run_ip("link add home up type bridge");
    run_ip("link set port0 master home");
    run_ip("link set wall0 address 02:00:00:00:00:07");
    run_ip("tuntap add mode tun dev away");
    const auto all = list_interfaces().value();
    EXPECT_EQ(named(all, "home").kind, "bridge");
    EXPECT_EQ(named(all, "port0").kind, "veth");
    EXPECT_EQ(named(all, "port0").master, named(all, "home").index);
    EXPECT_EQ(named(all, "port0").lower, named(all, "wall0").index);
    EXPECT_EQ(named(all, "wall0").lower, named(all, "port0").index);
    EXPECT_EQ(named(all, "wall0").master, 0U);
    EXPECT_EQ(named(all, "wall0").mac, (std::array<std::uint8_t, 6>{2, 0, 0, 0, 0, 7}));
    EXPECT_EQ(named(all, "away").kind, "tun");
    EXPECT_EQ(named(all, "away").mac, std::nullopt);
    EXPECT_TRUE(named(all, "away").point_to_point);
    EXPECT_FALSE(named(all, "wall0").point_to_point);
    EXPECT_EQ(named(all, "lo").mac, std::nullopt);
  });
}

bool same_link(const std::vector<Interface>& all, unsigned one, unsigned other) {
  const auto links = links_of(all);
  return links.contains(one) && links.contains(other) && links.at(one) == links.at(other);
}

TEST(Interfaces, SameLinkFollowsRealBridgesAndCables) {
  in_links([] {
    add_cable("port0", "wall0");
    add_cable("port1", "wall1");
    run_ip("link add home up type bridge");
    run_ip("link set port0 master home");
    run_ip("link set port1 master home");
    EXPECT_TRUE(same_link(list_interfaces().value(), index_of("wall0"), index_of("wall1")));
    EXPECT_FALSE(same_link(list_interfaces().value(), index_of("wall0"), index_of("lo")));
    run_ip("link set port1 nomaster");
    EXPECT_FALSE(same_link(list_interfaces().value(), index_of("wall0"), index_of("wall1")));
    run_ip("link add link wall1 name second type macvlan mode bridge");
    EXPECT_TRUE(same_link(list_interfaces().value(), index_of("second"), index_of("port1")));
  });
}

// Checklist row 9, the kernel's half: which two links are one.
TEST(Interfaces, SameLinkOfEveryKind) {
  const auto link = [](unsigned index, const char* kind, unsigned master = 0, unsigned lower = 0) {
    Interface one;
    one.index = index;
    one.kind = kind;
    one.master = master;
    one.lower = lower;
    return one;
  };
  const std::vector<Interface> all = {
      link(1, ""),           link(2, "bridge"),       link(3, "veth", 2, 4),   link(4, "veth", 0, 3),
      link(5, "veth", 2, 6), link(6, "veth", 0, 5),   link(7, "vlan", 0, 4),   link(8, "macvlan", 0, 6),
      link(9, "vrf"),        link(10, "veth", 9, 11), link(11, "veth", 0, 10), link(12, "", 13),
      link(13, "bond"),      link(14, "", 13)};
  const auto same = [&](unsigned one, unsigned other) {
    const bool forth = same_link(all, one, other);
    EXPECT_EQ(forth, same_link(all, other, one)) << one << " " << other;
    return forth;
  };
  EXPECT_TRUE(same(1, 1));
  EXPECT_EQ(links_of(all).at(8), 2U) << "called by its lowest interface";
  EXPECT_EQ(links_of(all).at(1), 1U) << "alone";
  EXPECT_TRUE(same(2, 3)) << "a bridge and its port";
  EXPECT_TRUE(same(3, 5)) << "two ports";
  EXPECT_TRUE(same(4, 6)) << "cable, bridge, cable";
  EXPECT_TRUE(same(4, 8)) << "and a MACVLAN on it";
  EXPECT_TRUE(same(12, 14)) << "a bond";
  EXPECT_TRUE(same(10, 11)) << "a cable alone";
  EXPECT_FALSE(same(4, 7)) << "a VLAN is a link of its own";
  EXPECT_FALSE(same(9, 10)) << "a VRF routes between its ports";
  EXPECT_FALSE(same(2, 11));
  EXPECT_FALSE(same(1, 2));
  EXPECT_FALSE(same(12, 2));
  EXPECT_FALSE(same(998, 999)) << "unknown ones";
}

TEST(Interfaces, TellsWhichAddressesMembershipMessagesComeFrom) {
  in_links([] {
    run_ip("link add near type veth peer name far");
    run_ip("link set near addrgenmode none");
    write_file("/proc/sys/net/ipv6/conf/near/accept_dad", "0");
    run_ip("link set near up");
    const auto now = [] { return named(list_interfaces().value(), "near"); };
    EXPECT_EQ(now().link_local(), std::nullopt);
    EXPECT_EQ(now().ip4(), std::nullopt);
    run_ip("address add 192.0.2.9/24 dev near");
    run_ip("address add 192.0.2.5/24 dev near");
    run_ip("address add 2001:db8::1/64 dev near nodad");
    run_ip("address add fe80::9/64 dev near nodad");
    run_ip("address add fe80::5/64 dev near nodad");
    EXPECT_EQ(now().link_local(), address("fe80::5"));
    EXPECT_EQ(now().ip4(), address("192.0.2.5"));
  });
  // Checklist row 14: a tentative address does not count.
  Interface pending;
  pending.addresses = {{address("fe80::1"), 64, false, true}, {address("fe80::2"), 64, false, false}};
  EXPECT_EQ(pending.link_local(), address("fe80::2"));
  pending.addresses.pop_back();
  EXPECT_EQ(pending.link_local(), std::nullopt);
}

}  // namespace
}  // namespace hearthcast::linux
