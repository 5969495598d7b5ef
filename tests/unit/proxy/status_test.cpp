// What an instance shows of itself, and its diagnosis in words.
#include <set>

#include "tests/unit/proxy/rig.hpp"

namespace hearthcast::proxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const PeerId kPhone{1};
const RouteKey kKey{kGroup, kSource};

TEST(Status, ShowsWhoListensToWhat) {
  Rig rig = Rig::up();
  (void)rig.wish(kPhone, kGroup, include({kSource2}));
  (void)rig.wish(kLan, kGroup, include({kSource}));
  rig.now += 90s;
  const InstanceStatus status = rig.status();
  EXPECT_EQ(status.name, "tv");
  ASSERT_THAT(status.groups, SizeIs(1));
  const GroupStatus& group = status.groups[0];
  EXPECT_EQ(group.group, kGroup);
  EXPECT_EQ(group.merged, include({kSource, kSource2}));
  EXPECT_EQ(group.age, 90s);
  ASSERT_THAT(group.upstreams, SizeIs(1));
  EXPECT_EQ(group.upstreams[0].index, kWan);
  EXPECT_EQ(group.upstreams[0].filter, group.merged);
  ASSERT_THAT(group.listeners, SizeIs(2));
  EXPECT_EQ(group.listeners[0].downstream, DownstreamId(kLan));
  EXPECT_EQ(group.listeners[0].filter, include({kSource}));
  EXPECT_EQ(group.listeners[1].downstream, DownstreamId(kPhone));
}

TEST(Status, ShowsStaticJoinsAsListenersWithoutAName) {
  auto settings = tv();
  settings.joins = {{.group = prefix("239.1.1.1")}, {.upstream = "wan", .group = prefix("239.1.1.2")}};
  const InstanceStatus status = Rig::up(settings).status();
  ASSERT_THAT(status.groups, SizeIs(2));
  for (const GroupStatus& group : status.groups) {
    ASSERT_THAT(group.listeners, SizeIs(1));
    EXPECT_EQ(group.listeners[0].downstream, std::nullopt);
    EXPECT_EQ(group.listeners[0].filter, any());
  }
}

TEST(Status, ShowsRoutesWithPacketsAndAges) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  (void)rig.data(kWan, kSource, kGroup);
  rig.now += 20s;
  rig.proxy.on_traffic(InstanceId{1}, kKey, {.packets = 10, .bytes = 13'160, .wrong_interface = 2}, rig.now);
  rig.now += 5s;
  const InstanceStatus status = rig.status();
  ASSERT_THAT(status.routes, SizeIs(1));
  EXPECT_EQ(status.routes[0].key, kKey);
  EXPECT_EQ(status.routes[0].kind, RouteKind::kListened);
  EXPECT_EQ(status.routes[0].input, kWan);
  EXPECT_EQ(status.routes[0].age, 25s);
  EXPECT_EQ(status.routes[0].idle, 5s);
  EXPECT_EQ(status.routes[0].traffic, (Traffic{10, 13'160, 2}));
  EXPECT_EQ(status.groups[0].traffic.packets, 10U);
}

TEST(Status, CountsAFlowOfTunnelsOnce) {
  Rig rig = Rig::up();
  (void)rig.wish(kPhone, kGroup, any());
  rig.proxy.on_flow(kGroup, kSource, {.packets = 7, .bytes = 700}, rig.now);
  rig.proxy.on_flow(kOther, kSource, {.packets = 9}, rig.now);
  EXPECT_EQ(rig.status().groups[0].traffic.packets, 7U);
  EXPECT_THAT(rig.status().groups, SizeIs(1)) << "flows that nobody wants any more are none";
  (void)rig.data(kWan, kSource, kGroup);
  rig.proxy.on_traffic(InstanceId{1}, kKey, {.packets = 8, .bytes = 800}, rig.now);
  EXPECT_EQ(rig.status().groups[0].traffic.packets, 8U) << "the kernel saw the same packets";
}

TEST(Status, ShowsQueriersOfBothSides) {
  Rig rig = Rig::up();
  (void)rig.proxy.on_query(kWan, {ip("198.51.100.1"), 3}, rig.now);
  (void)rig.proxy.on_querier(kGuest, Family::kIp6, false, ip("fe80::1"), rig.now);
  rig.now += 30s;
  const auto interfaces = rig.status().interfaces;
  EXPECT_EQ(interfaces[0].queriers[0].address, ip("198.51.100.1"));
  EXPECT_EQ(interfaces[0].queriers[0].heard, 30s);
  EXPECT_FALSE(interfaces[0].queriers[1].heard);
  EXPECT_TRUE(interfaces[1].queriers[0].self);
  EXPECT_FALSE(interfaces[2].queriers[1].self);
  EXPECT_EQ(interfaces[2].queriers[1].address, ip("fe80::1"));
  EXPECT_TRUE(interfaces[2].queriers[0].self);
}

TEST(Status, EveryCodeHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    words.insert(code_text(static_cast<Drop>(i)));
  }
  EXPECT_THAT(words, SizeIs(kDropReasons));
  words.clear();
  for (int i = 0; i <= static_cast<int>(AlarmCode::kRouteLimit); ++i) {
    words.insert(code_text(static_cast<AlarmCode>(i)));
  }
  EXPECT_THAT(words, SizeIs(static_cast<std::size_t>(AlarmCode::kRouteLimit) + 1));
  words.clear();
  for (int i = 0; i <= static_cast<int>(Finding::kWrongInterface); ++i) {
    words.insert(code_text(static_cast<Finding>(i)));
  }
  EXPECT_THAT(words, SizeIs(static_cast<std::size_t>(Finding::kWrongInterface) + 1));
  words = {
      code_text(InterfaceState::kAbsent),  code_text(InterfaceState::kDown),   code_text(InterfaceState::kUp),
      code_text(InterfaceState::kRefused), code_text(InterfaceState::kLooped), code_text(Role::kUpstream),
      code_text(Role::kDownstream),        code_text(RouteKind::kListened),    code_text(RouteKind::kStatic),
      code_text(RouteKind::kNegative),     code_text(RouteKind::kTunnelsOnly)};
  EXPECT_THAT(words, SizeIs(11));
  EXPECT_FALSE(words.contains("unknown"));
  EXPECT_EQ(code_text(Drop::kCount), "unknown");
}

TEST(Diagnosis, OfAHealthyHouseIsEmpty) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  (void)rig.proxy.on_query(kWan, {ip("198.51.100.1"), 3}, rig.now);
  (void)rig.data(kWan, kSource, kGroup);
  EXPECT_THAT(rig.status().diagnosis, IsEmpty());
}

TEST(Diagnosis, NoQueryFromTheProvider) {
  Rig rig = Rig::up();
  (void)rig.pass(1h);
  EXPECT_THAT(rig.findings(Finding::kNoQuery), IsEmpty()) << "nothing is joined";
  (void)rig.wish(kLan, kGroup, any());
  (void)rig.pass(299s);
  EXPECT_THAT(rig.findings(Finding::kNoQuery), IsEmpty());
  (void)rig.pass(1s);
  EXPECT_THAT(rig.findings(Finding::kNoQuery),
              ElementsAre(HasSubstr("No query seen from the provider on wan (IPv4) for 300 s")));
  (void)rig.proxy.on_query(kWan, {ip("198.51.100.1"), 3}, rig.now);
  EXPECT_THAT(rig.findings(Finding::kNoQuery), IsEmpty());
}

TEST(Diagnosis, JoinedButNoPacketsArrive) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  (void)rig.pass(9s);
  EXPECT_THAT(rig.findings(Finding::kNoPackets), IsEmpty());
  (void)rig.pass(3s);
  EXPECT_THAT(rig.findings(Finding::kNoPackets),
              ElementsAre("Group 239.1.1.1: joined 12 s ago, but no packets arrive."));
  (void)rig.data(kWan, kSource, kGroup);
  EXPECT_THAT(rig.findings(Finding::kNoPackets), IsEmpty());
  (void)rig.pass(40s);
  EXPECT_THAT(rig.findings(Finding::kNoPackets),
              ElementsAre("Group 239.1.1.1: joined, but no packets arrive for 40 s."));
  rig.proxy.on_traffic(InstanceId{1}, kKey, {.packets = 1000}, rig.now);
  EXPECT_THAT(rig.findings(Finding::kNoPackets), IsEmpty());
}

TEST(Diagnosis, PacketsOfAFlowCount) {
  Rig rig = Rig::up();
  (void)rig.wish(kPhone, kGroup, any());
  (void)rig.pass(60s);
  EXPECT_THAT(rig.findings(Finding::kNoPackets), SizeIs(1));
  rig.proxy.on_flow(kGroup, kSource, {.packets = 1}, rig.now);
  EXPECT_THAT(rig.findings(Finding::kNoPackets), IsEmpty());
  rig.proxy.on_flow(kGroup, kSource, {.packets = 1}, rig.now + 60s);
  (void)rig.pass(60s);
  EXPECT_THAT(rig.findings(Finding::kNoPackets), SizeIs(1)) << "it stands still";
}

TEST(Diagnosis, ManyGroupsAreSummedUp) {
  Rig rig = Rig::up();
  for (std::uint32_t n = 0; n < 100; ++n) {
    (void)rig.wish(kLan, IpAddress::ip4(0xEF020000U + n), any());
  }
  (void)rig.pass(60s);
  const auto texts = rig.findings(Finding::kNoPackets);
  ASSERT_THAT(texts, SizeIs(9));
  EXPECT_EQ(texts.back(), "The same holds for 92 more groups.");
}

TEST(Diagnosis, PacketsArriveButFromAnotherSource) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  (void)rig.pass(15s);
  (void)rig.data(kWan, kSource2, kGroup);
  EXPECT_THAT(
      rig.findings(Finding::kOtherSource),
      ElementsAre(
          "Group 239.1.1.1: packets arrive, but from another source (192.0.2.2), and INCLUDE {192.0.2.1} "
          "is asked for."));
  EXPECT_THAT(rig.findings(Finding::kNoPackets), IsEmpty()) << "one finding a group";
  rig.proxy.on_traffic(InstanceId{1}, kKey, {.packets = 5}, rig.now);
  EXPECT_THAT(rig.findings(Finding::kOtherSource), IsEmpty()) << "it has what it asked for as well";
}

TEST(Diagnosis, TwoRoutersOnTheLan) {
  Rig rig = Rig::up();
  (void)rig.proxy.on_querier(kLan, Family::kIp4, false, ip("10.1.0.254"), rig.now);
  EXPECT_THAT(
      rig.findings(Finding::kOtherQuerier),
      ElementsAre(
          "Two routers on lan: the other one (10.1.0.254) is IGMP querier, and forwards there; this box "
          "does not."));
  (void)rig.proxy.on_querier(kLan, Family::kIp4, true, std::nullopt, rig.now);
  EXPECT_THAT(rig.findings(Finding::kOtherQuerier), IsEmpty());
}

TEST(Diagnosis, ARouterWithoutAnAddressMeetsNoOther) {
  Rig rig = Rig::up();
  EXPECT_THAT(rig.proxy.on_querier(kLan, Family::kIp6, false, std::nullopt, rig.now), IsEmpty());
  EXPECT_THAT(rig.findings(Finding::kOtherQuerier), IsEmpty());
  EXPECT_FALSE(rig.status().interfaces[1].queriers[1].self);
  EXPECT_THAT(of<Alarm>(rig.proxy.on_querier(kLan, Family::kIp6, false, ip("fe80::1"), rig.now)), SizeIs(1))
      << "now there is one";
  EXPECT_THAT(rig.proxy.on_querier(kLan, Family::kIp6, false, ip("fe80::2"), rig.now), IsEmpty());
}

TEST(Row31_OlderQuerier, IsAnAlarmAndAFindingAndNoJoinChanges) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, ip("232.1.1.1"), include({kSource}));
  const Actions actions = rig.proxy.on_query(kWan, {ip("198.51.100.1"), 2}, rig.now);
  ASSERT_THAT(of<Alarm>(actions), SizeIs(1));
  EXPECT_EQ(of<Alarm>(actions)[0].code, AlarmCode::kOlderQuerier);
  EXPECT_THAT(of<Alarm>(actions)[0].text, HasSubstr("198.51.100.1 on wan speaks IGMPv2"));
  EXPECT_THAT(of<SetUpstreamFilter>(actions), IsEmpty());
  EXPECT_THAT(rig.findings(Finding::kOlderQuerier), ElementsAre(HasSubstr("source filters are lost there")));
  EXPECT_TRUE(rig.status().interfaces[0].queriers[0].older);
  EXPECT_THAT(rig.proxy.on_query(kWan, {ip("198.51.100.1"), 2}, rig.now), IsEmpty());
  (void)rig.pass(260s);
  EXPECT_THAT(rig.findings(Finding::kOlderQuerier), IsEmpty());
}

TEST(Diagnosis, MissingInterfacesAndUpstreams) {
  Rig rig;
  EXPECT_THAT(rig.findings(Finding::kInterfaceMissing),
              ElementsAre(HasSubstr("no interface wan"), HasSubstr("no interface lan"),
                          HasSubstr("no interface guest")));
  (void)rig.interfaces({lan(), guest()});
  (void)rig.wish(kLan, kGroup, any());
  EXPECT_THAT(rig.findings(Finding::kNoUpstream),
              ElementsAre("Group 239.1.1.1 is wanted, and no upstream is there to bring it."));
  (void)rig.interfaces(house());
  EXPECT_THAT(rig.findings(Finding::kNoUpstream), IsEmpty());
}

TEST(Diagnosis, AnUpstreamWithoutItsLink) {
  Rig rig = Rig::up();
  auto down = house();
  down[0].up = false;
  (void)rig.interfaces(down);
  EXPECT_THAT(rig.findings(Finding::kUpstreamDown), ElementsAre(HasSubstr("Interface wan has no link")));
  EXPECT_THAT(rig.findings(Finding::kInterfaceMissing), IsEmpty());
}

TEST(Status, AGroupAgesFromWhenItCame) {
  auto settings = tv();
  settings.joins = {{.group = prefix("239.1.1.1")}};
  Rig rig(settings);
  (void)rig.interfaces(house());
  rig.now += 15s;
  EXPECT_EQ(rig.status().groups.at(0).age, 15s);
  EXPECT_THAT(rig.findings(Finding::kNoPackets), ElementsAre(HasSubstr("joined 15 s ago")));
}

TEST(Status, WhatIsWishedInVainIsNoGroup) {
  auto settings = tv();
  settings.rules = {{.verdict = Verdict::kDeny, .interface = "lan"}};
  Rig rig = Rig::up(settings);
  (void)rig.wish(kLan, kGroup, any());
  EXPECT_THAT(rig.status().groups, IsEmpty());
  EXPECT_EQ(rig.drops(Drop::kDeniedByRule), 1U);
}

TEST(Diagnosis, APacketWhereItsSourceIsNotExpected) {
  Rig rig = Rig::up();
  (void)rig.proxy.on_wrong_interface(kLan, kSource, kGroup, rig.now);
  EXPECT_THAT(
      rig.findings(Finding::kWrongInterface),
      ElementsAre(
          "Packets of 192.0.2.1 to 239.1.1.1 come in on lan, where that source is not expected; they are "
          "dropped."));
  (void)rig.pass(61s);
  EXPECT_THAT(rig.findings(Finding::kWrongInterface), IsEmpty());
}

}  // namespace
}  // namespace hearthcast::proxy
