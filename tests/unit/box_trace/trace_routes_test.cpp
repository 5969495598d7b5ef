#include "appliance/trace/trace_routes.hpp"

#include <gtest/gtest.h>

namespace hearthcast::trace {
namespace {

using wire::Mtrace2Code;

constexpr unsigned kUp = 2;
constexpr unsigned kLan = 3;
IpAddress ip(const char* text) { return *IpAddress::parse(text); }
const IpAddress kGroup = ip("232.1.1.1");
const IpAddress kSource = ip("203.0.113.10");

linux::Interface interface(unsigned index, std::vector<linux::InterfaceAddress> addresses) {
  linux::Interface out;
  out.index = index;
  out.up = true;
  out.addresses = std::move(addresses);
  return out;
}

class TraceRoutesTest : public ::testing::Test {
 protected:
  TraceRoutesTest() {
    proxy::InstanceStatus instance;
    proxy::InterfaceStatus up{.name = "up0",
                              .index = proxy::InterfaceIndex{kUp},
                              .role = proxy::Role::kUpstream,
                              .state = proxy::InterfaceState::kUp};
    up.queriers[0].address = ip("10.64.0.1");
    up.queriers[1].address = ip("fe80::1");
    proxy::InterfaceStatus lan{.name = "lan0",
                               .index = proxy::InterfaceIndex{kLan},
                               .role = proxy::Role::kDownstream,
                               .state = proxy::InterfaceState::kUp,
                               .why = {},
                               .threshold = 3};
    lan.queriers[0].self = true;
    lan.queriers[1].self = true;
    instance.interfaces = {up, lan};
    instance.groups.push_back(
        {.group = kGroup,
         .merged = {FilterMode::kInclude, {kSource}},
         .upstreams = {{proxy::InterfaceIndex{kUp}, {FilterMode::kInclude, {kSource}}}},
         .listeners = {{proxy::InterfaceIndex{kLan}, {FilterMode::kInclude, {kSource}}}},
         .age = {},
         .traffic = {.packets = 50}});
    instance.routes.push_back({.key = {kGroup, kSource},
                               .input = proxy::InterfaceIndex{kUp},
                               .outputs = {},
                               .kind = proxy::RouteKind::kListened,
                               .traffic = {.packets = 42}});
    status.instances = {instance};
  }
  std::optional<RouteFacts> ask(const IpAddress& group, std::optional<IpAddress> source,
                                unsigned index = kLan) {
    return TraceRoutes(interfaces, [this] { return status; }).route(group, source, index);
  }
  proxy::InstanceStatus& instance() { return status.instances[0]; }

  std::vector<linux::Interface> interfaces{
      interface(kUp, {{ip("10.64.0.2"), 24}, {ip("fe80::2"), 64}, {ip("2001:db8:64::2"), 64}}),
      interface(kLan,
                {{ip("192.168.1.1"), 24}, {ip("fe80::3"), 64}, {ip("2001:db8:1::1"), 64, false, true}})};
  proxy::Status status;
};

TEST_F(TraceRoutesTest, TellsTheWayOfAGroupThatFlows) {
  const auto facts = ask(kGroup, kSource);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->code, Mtrace2Code::kNoError);
  EXPECT_EQ(facts->incoming_interface, kUp);
  EXPECT_EQ(facts->outgoing_interface, kLan);
  EXPECT_EQ(facts->incoming, ip("10.64.0.2"));
  EXPECT_EQ(facts->outgoing, ip("192.168.1.1"));
  EXPECT_EQ(facts->upstream, ip("10.64.0.1"));
  EXPECT_EQ(facts->flow_packets, 42U);
  EXPECT_EQ(facts->threshold, 3);
  EXPECT_FALSE(facts->any_source);
}

TEST_F(TraceRoutesTest, WithoutASourceTellsTheGroupsPackets) {
  const auto facts = ask(kGroup, std::nullopt);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->flow_packets, 50U);
  EXPECT_TRUE(facts->any_source);
}

TEST_F(TraceRoutesTest, ARouteOfAnySourceCountsForEach) {
  instance().routes[0].key.source = IpAddress::any(Family::kIp4);
  const auto facts = ask(kGroup, kSource);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->flow_packets, 42U);
  EXPECT_TRUE(facts->any_source);
}

TEST_F(TraceRoutesTest, SaysWhenNobodyOnThatLinkListens) {
  EXPECT_EQ(ask(ip("232.9.9.9"), kSource)->code, Mtrace2Code::kNotForwarding);
  EXPECT_EQ(ask(kGroup, ip("203.0.113.99"))->code, Mtrace2Code::kNotForwarding) << "not from that source";
  instance().groups[0].listeners[0].downstream = PeerId{7};
  EXPECT_EQ(ask(kGroup, kSource)->code, Mtrace2Code::kNotForwarding) << "a tunnel listens, the link does not";
  instance().groups[0].listeners[0].downstream.reset();
  EXPECT_EQ(ask(kGroup, kSource)->code, Mtrace2Code::kNotForwarding) << "a static join";
}

TEST_F(TraceRoutesTest, SaysWhenThereIsNoUpstream) {
  instance().interfaces[0].state = proxy::InterfaceState::kDown;
  const auto facts = ask(kGroup, kSource);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->code, Mtrace2Code::kNoRoute);
  EXPECT_EQ(facts->incoming_interface, 0U);
}

TEST_F(TraceRoutesTest, IsTheLastHopOnlyWhereItIsQuerier) {
  EXPECT_FALSE(ask(kGroup, kSource, kUp)) << "the upstream";
  EXPECT_FALSE(ask(kGroup, kSource, 9)) << "a link that nobody serves";
  instance().interfaces[1].queriers[0].self = false;
  EXPECT_FALSE(ask(kGroup, kSource)) << "another router forwards there";
  EXPECT_TRUE(ask(ip("ff3e::1"), std::nullopt)) << "the other family has its own querier";
}

TEST_F(TraceRoutesTest, ASourceOnTheUpstreamsOwnLinkHasNoRouterAbove) {
  EXPECT_FALSE(ask(kGroup, ip("10.64.0.10"))->upstream);
  instance().interfaces[0].queriers[0].address = IpAddress::any(Family::kIp4);
  EXPECT_FALSE(ask(kGroup, kSource)->upstream) << "a switch asks there, with no address";
}

TEST_F(TraceRoutesTest, PrefersAddressesThatReachFurtherThanTheLink) {
  const auto facts = ask(ip("ff3e::1"), std::nullopt);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->incoming, ip("2001:db8:64::2"));
  EXPECT_EQ(facts->outgoing, ip("fe80::3")) << "the other one is tentative";
  EXPECT_EQ(facts->upstream, ip("fe80::1"));
}

TEST_F(TraceRoutesTest, KnowsWhoIsOnALink) {
  const TraceRoutes routes(interfaces, [this] { return status; });
  EXPECT_TRUE(routes.on_link(kLan, ip("192.168.1.200")));
  EXPECT_FALSE(routes.on_link(kLan, ip("192.168.2.200")));
  EXPECT_FALSE(routes.on_link(kUp, ip("192.168.1.200")));
  EXPECT_TRUE(routes.on_link(kLan, ip("fe80::77")));
  EXPECT_TRUE(routes.on_link(kLan, ip("2001:db8:1::77")));
  EXPECT_FALSE(routes.on_link(kLan, ip("2001:db8:2::77")));
  EXPECT_FALSE(routes.on_link(99, ip("192.168.1.200")));
}

}  // namespace
}  // namespace hearthcast::trace
