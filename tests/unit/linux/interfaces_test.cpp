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

#include "tests/unit/linux/private_network.hpp"

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

TEST(Interfaces, SaysWhichBridgeAPortBelongsTo) {
  in_network([] {
    nl_sock* const socket = nl_socket_alloc();
    ASSERT_EQ(nl_connect(socket, NETLINK_ROUTE), 0);
    rtnl_link* const bridge = rtnl_link_alloc();
    ASSERT_EQ(rtnl_link_set_type(bridge, "bridge"), 0);
    rtnl_link_set_name(bridge, "br0");
    ASSERT_EQ(rtnl_link_add(socket, bridge, NLM_F_CREATE), 0);
    ASSERT_EQ(rtnl_link_veth_add(socket, "port", "other", ::getpid()), 0);
    const auto index_of = [](const std::string& name) {
      const auto all = list_interfaces();
      return all ? std::ranges::find(*all, name, &Interface::name)->index : 0U;
    };
    ASSERT_EQ(rtnl_link_enslave_ifindex(socket, static_cast<int>(index_of("br0")),
                                        static_cast<int>(index_of("port"))),
              0);
    const auto all = list_interfaces();
    ASSERT_TRUE(all);
    for (const Interface& each : *all) {
      EXPECT_EQ(each.bridge, each.name == "port" ? index_of("br0") : 0U) << each.name;
    }
    rtnl_link_put(bridge);
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

}  // namespace
}  // namespace hearthcast::linux
