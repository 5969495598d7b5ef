// What the kernel is told to forward.
#include "tests/unit/proxy/rig.hpp"

namespace hearthcast::proxy {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const PeerId kPhone{1};
const IpAddress kLanHost = ip("10.1.0.9");

TEST(Row40_Order, TheRouteStandsBeforeTheJoinAndGoesAfterTheLeave) {
  Rig rig = Rig::up();
  EXPECT_THAT(rig.wish(kLan, kGroup, include({kSource})),
              ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}})),
                          Action(SetUpstreamFilter{kWan, kGroup, include({kSource})})));
  EXPECT_THAT(rig.wish(kLan, kGroup, {}), ElementsAre(Action(SetUpstreamFilter{kWan, kGroup, {}}),
                                                      Action(route(kGroup, kSource, kWan, {}))));
  EXPECT_THAT(rig.pass(60s), ElementsAre(Action(no_route(kGroup, kSource, kWan))));
}

TEST(Row40_Order, AStreamThatNobodyWantedIsKnownBeforeItIsJoined) {
  Rig rig = Rig::up();
  EXPECT_THAT(rig.data(kWan, kSource, kGroup), ElementsAre(Action(route(kGroup, kSource, kWan, {}))));
  const Actions joined = rig.wish(kLan, kGroup, any());
  EXPECT_LT(place_of<SetRoute>(joined), place_of<SetUpstreamFilter>(joined));
  EXPECT_THAT(of<SetRoute>(joined), ElementsAre(route(kGroup, kSource, kWan, {{kLan, 1}})));
}

TEST(Row06_FromUpstream, GoesToEachDownstreamThatWantsItAndNeverBack) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  (void)rig.wish(kGuest, kGroup, exclude({kSource2}));
  EXPECT_THAT(rig.data(kWan, kSource, kGroup),
              ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}, {kGuest, 1}}))));
  EXPECT_THAT(rig.data(kWan, kSource2, kGroup),
              ElementsAre(Action(route(kGroup, kSource2, kWan, {{kLan, 1}}))));
}

TEST(Row06_FromUpstream, TunnelsAreNoOutputs) {
  Rig rig = Rig::up();
  EXPECT_THAT(rig.wish(kPhone, kGroup, include({kSource})),
              ElementsAre(Action(SetUpstreamFilter{kWan, kGroup, include({kSource})})));
  EXPECT_THAT(rig.data(kWan, kSource, kGroup), ElementsAre(Action(route(kGroup, kSource, kWan, {}))));
}

TEST(Row06_FromUpstream, WhatTunnelsNameIsNoUnwantedStream) {
  Rig rig = Rig::up();
  (void)rig.wish(kPhone, kGroup, include({kSource}));
  (void)rig.data(kWan, kSource, kGroup);
  EXPECT_EQ(rig.drops(Drop::kNoListener), 0U);
  EXPECT_EQ(rig.status().routes.at(0).kind, RouteKind::kTunnelsOnly);
  EXPECT_THAT(of<RemoveRoute>(rig.pass(1h)), IsEmpty()) << "it does not come and go each minute";
  (void)rig.proxy.on_downstream_gone(kPhone, rig.now);
  EXPECT_THAT(of<RemoveRoute>(rig.pass(60s)), SizeIs(1));
}

TEST(Row06_FromUpstream, ASecondLinkJoinsTheRunningRoute) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  EXPECT_THAT(rig.wish(kGuest, kGroup, include({kSource})),
              ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}, {kGuest, 1}}))));
  EXPECT_THAT(rig.wish(kLan, kGroup, {}), ElementsAre(Action(route(kGroup, kSource, kWan, {{kGuest, 1}}))));
}

TEST(Row08_Querier, NothingIsForwardedWhereAnotherIsQuerier) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  const Actions lost = rig.proxy.on_querier(kLan, Family::kIp4, false, ip("10.1.0.254"), rig.now);
  EXPECT_THAT(of<SetRoute>(lost), ElementsAre(route(kGroup, kSource, kWan, {})));
  EXPECT_THAT(of<SetUpstreamFilter>(lost), IsEmpty()) << "what is wanted is still followed";
  EXPECT_THAT(of<Alarm>(lost), SizeIs(1));
  EXPECT_THAT(of<SetRoute>(rig.wish(kLan, kOther, include({kSource}))), IsEmpty());
  EXPECT_THAT(rig.proxy.on_querier(kLan, Family::kIp4, false, ip("10.1.0.254"), rig.now), IsEmpty());
  const Actions won = rig.proxy.on_querier(kLan, Family::kIp4, true, std::nullopt, rig.now);
  EXPECT_THAT(won, ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}})),
                               Action(route(kOther, kSource, kWan, {{kLan, 1}}))));
}

TEST(Row08_Querier, PacketsNotForwardedForThatReasonAreCounted) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  (void)rig.proxy.on_querier(kLan, Family::kIp4, false, ip("10.1.0.254"), rig.now);
  (void)rig.data(kWan, kSource, kGroup);
  EXPECT_EQ(rig.drops(Drop::kNotQuerier), 1U);
  EXPECT_EQ(rig.drops(Drop::kNoListener), 0U);
}

TEST(Row08_Querier, IsAMatterOfEachFamily) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  EXPECT_THAT(of<SetRoute>(rig.proxy.on_querier(kLan, Family::kIp6, false, ip("fe80::1"), rig.now)),
              IsEmpty());
  EXPECT_THAT(of<SetRoute>(rig.wish(kLan, ip("ff3e::1"), include({ip("2001:db8::1")}))), IsEmpty());
}

TEST(Row07_FromDownstream, GoesToOtherDownstreamsAndNotUpstreamUnlessAllowed) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  (void)rig.wish(kGuest, kGroup, any());
  EXPECT_THAT(rig.data(kLan, kLanHost, kGroup),
              ElementsAre(Action(route(kGroup, kLanHost, kLan, {{kGuest, 1}}))))
      << "never back to where it came from, nor to the provider";
  EXPECT_THAT(rig.data(kLan, kLanHost, ip("239.255.255.250")),
              ElementsAre(Action(route(ip("239.255.255.250"), kLanHost, kLan, {}))));
  EXPECT_EQ(rig.drops(Drop::kNoListener), 1U);
}

TEST(Row07_FromDownstream, GoesUpstreamWhenTheOwnerSaysSo) {
  auto settings = tv();
  settings.send_upstream = true;
  settings.boundaries = {{.interface = "wan", .groups = {prefix("239.255.0.0/16")}}};
  Rig rig = Rig::up(settings);
  EXPECT_THAT(rig.data(kLan, kLanHost, kGroup),
              ElementsAre(Action(route(kGroup, kLanHost, kLan, {{kWan, 1}}))));
  EXPECT_THAT(of<SetRoute>(rig.wish(kGuest, kGroup, any())),
              ElementsAre(route(kGroup, kLanHost, kLan, {{kWan, 1}, {kGuest, 1}})));
  EXPECT_THAT(rig.data(kLan, kLanHost, ip("239.255.255.250")),
              ElementsAre(Action(route(ip("239.255.255.250"), kLanHost, kLan, {}))))
      << "that scope ends at the provider's link";
  EXPECT_THAT(rig.data(kWan, kSource, kOther), ElementsAre(Action(route(kOther, kSource, kWan, {}))))
      << "what comes from upstream never goes there";
}

TEST(Row37_Threshold, IsPartOfEachOutput) {
  auto settings = tv();
  settings.thresholds = {{"guest", 16}};
  Rig rig = Rig::up(settings);
  (void)rig.wish(kLan, kGroup, include({kSource}));
  EXPECT_THAT(of<SetRoute>(rig.wish(kGuest, kGroup, include({kSource}))),
              ElementsAre(route(kGroup, kSource, kWan, {{kLan, 1}, {kGuest, 16}})));
}

TEST(Row10_Unwanted, IsKnownNegativelyAndForgottenInTime) {
  Rig rig = Rig::up();
  EXPECT_THAT(rig.data(kWan, kSource, kGroup), ElementsAre(Action(route(kGroup, kSource, kWan, {}))));
  EXPECT_EQ(rig.drops(Drop::kNoListener), 1U);
  EXPECT_THAT(rig.status().routes, SizeIs(1));
  EXPECT_EQ(rig.status().routes[0].kind, RouteKind::kNegative);
  EXPECT_THAT(rig.pass(59s), IsEmpty());
  EXPECT_THAT(rig.pass(1s), ElementsAre(Action(no_route(kGroup, kSource, kWan))));
  EXPECT_EQ(rig.proxy.next_deadline(), kNever);
}

TEST(Row10_Unwanted, IsBounded) {
  auto settings = tv();
  settings.limits = {.learned = 4, .negative = 4};
  Rig rig = Rig::up(settings);
  std::size_t set = 0;
  std::size_t removed = 0;
  std::vector<Alarm> alarms;
  for (std::uint32_t n = 0; n < 100; ++n) {
    rig.now += 1ms;
    const Actions actions = rig.data(kWan, IpAddress::ip4(0xC0000300U + n), kGroup);
    set += of<SetRoute>(actions).size();
    removed += of<RemoveRoute>(actions).size();
    std::ranges::copy(of<Alarm>(actions), std::back_inserter(alarms));
  }
  EXPECT_EQ(set, 100U);
  EXPECT_EQ(removed, 96U);
  EXPECT_EQ(rig.drops(Drop::kRouteLimit), 96U);
  ASSERT_THAT(alarms, SizeIs(1)) << "said once, not ninety-six times";
  EXPECT_EQ(alarms[0].code, AlarmCode::kRouteLimit);
}

TEST(Row10_Unwanted, APacketOnTheWrongInterfaceMakesNoReverseRoute) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  (void)rig.wish(kGuest, kGroup, include({kSource}));
  EXPECT_THAT(rig.proxy.on_wrong_interface(kLan, kSource, kGroup, rig.now), IsEmpty());
  EXPECT_THAT(rig.proxy.on_wrong_interface(kLan, kSource, kOther, rig.now), IsEmpty());
  EXPECT_EQ(rig.drops(Drop::kWrongInterface), 2U);
  EXPECT_THAT(rig.data(kLan, kSource, kOther), ElementsAre(Action(route(kOther, kSource, kWan, {}))))
      << "the kernel is told where that source belongs";
}

TEST(Row39_ReversePath, APacketOfAStreamFromElsewhereIsNotForwarded) {
  Rig rig = Rig::up();
  (void)rig.wish(kGuest, kGroup, any());
  EXPECT_THAT(rig.data(kLan, kSource, kGroup),
              ElementsAre(Action(route(kGroup, kSource, kWan, {{kGuest, 1}}))))
      << "taken from the provider only, so the kernel drops this one";
  EXPECT_EQ(rig.drops(Drop::kWrongInterface), 1U);
  EXPECT_THAT(rig.data(kWan, kLanHost, kGroup),
              ElementsAre(Action(route(kGroup, kLanHost, kLan, {{kGuest, 1}}))))
      << "a home address from outside";
  EXPECT_EQ(rig.drops(Drop::kWrongInterface), 2U);
}

TEST(Row39_ReversePath, BadSourcesAreNeverForwarded) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  (void)rig.wish(kLan, ip("ff0e::1"), any());
  for (const char* bad : {"0.0.0.0", "127.0.0.1", "239.9.9.9"}) {
    EXPECT_THAT(rig.data(kWan, ip(bad), kGroup), IsEmpty()) << bad;
  }
  for (const auto& [bad, group] :
       {std::pair(ip("169.254.7.7"), kGroup), std::pair(ip("fe80::77"), ip("ff0e::1"))}) {
    EXPECT_THAT(rig.data(kWan, bad, group), ElementsAre(Action(route(group, bad, kWan, {}))));
  }
  EXPECT_EQ(rig.drops(Drop::kBadSource), 5U);
}

TEST(Row39_ReversePath, ADeniedSourceIsNotForwardedToWhoWantsAny) {
  auto settings = tv();
  settings.rules = {{.verdict = Verdict::kDeny, .interface = "lan", .source = prefix("192.0.2.0/24")}};
  Rig rig = Rig::up(settings);
  (void)rig.wish(kLan, kGroup, any());
  EXPECT_THAT(rig.data(kWan, kSource, kGroup), ElementsAre(Action(route(kGroup, kSource, kWan, {}))));
  EXPECT_THAT(rig.data(kWan, ip("203.0.113.9"), kGroup),
              ElementsAre(Action(route(kGroup, ip("203.0.113.9"), kWan, {{kLan, 1}}))));
}

TEST(Row24_LinkScope, IsNeverForwarded) {
  Rig rig = Rig::up();
  EXPECT_THAT(rig.data(kWan, kSource, ip("224.0.0.251")), IsEmpty());
  EXPECT_THAT(rig.data(kLan, ip("2001:db8::1"), ip("ff02::1")), IsEmpty());
  EXPECT_EQ(rig.drops(Drop::kLinkScope), 2U);
}

TEST(Forwarding, OfUnknownInterfacesAreCounted) {
  Rig rig = Rig::up();
  EXPECT_THAT(rig.data(InterfaceIndex{77}, kSource, kGroup), IsEmpty());
  EXPECT_THAT(rig.proxy.on_wrong_interface(InterfaceIndex{77}, kSource, kGroup, rig.now), IsEmpty());
  EXPECT_EQ(rig.proxy.status(rig.now).stray.of(Drop::kUnknownInterface), 2U);
}

TEST(Forwarding, ThatTheKernelAsksForAgainAreToldAgain) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  EXPECT_THAT(rig.data(kWan, kSource, kGroup),
              ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}}))));
}

TEST(Forwarding, ThatWereLearnedGoWhenNothingMoves) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  (void)rig.data(kWan, kSource, kGroup);
  const RouteKey key{kGroup, kSource};
  for (std::uint64_t packets = 1; packets <= 20; ++packets) {
    EXPECT_THAT(of<RemoveRoute>(rig.pass(60s)), IsEmpty());
    rig.proxy.on_traffic(InstanceId{1}, key, {.packets = packets}, rig.now);
  }
  EXPECT_THAT(of<RemoveRoute>(rig.pass(300s)), ElementsAre(no_route(kGroup, kSource, kWan)));
  EXPECT_THAT(rig.data(kWan, kSource, kGroup),
              ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}}))));
}

TEST(StaticRoutes, OfOneSourceAreThereAtOnceAndStay) {
  auto settings = tv();
  settings.routes = {
      {.from = "wan", .to = {"lan", "guest"}, .group = prefix("239.1.1.1"), .source = prefix("192.0.2.1")}};
  Rig rig(settings);
  EXPECT_THAT(of<SetRoute>(rig.interfaces(house())),
              ElementsAre(route(kGroup, kSource, kWan, {{kLan, 1}, {kGuest, 1}})));
  EXPECT_EQ(rig.status().routes[0].kind, RouteKind::kStatic);
  EXPECT_THAT(rig.pass(24h * 30), IsEmpty());
  (void)rig.wish(kLan, kGroup, include({kSource}));
  EXPECT_THAT(of<SetRoute>(rig.wish(kLan, kGroup, {})), IsEmpty()) << "listeners come and go beside it";
}

TEST(StaticRoutes, OfPrefixesComeWithTheFirstPacket) {
  auto settings = tv();
  settings.routes = {{.from = "lan",
                      .to = {"wan", "guest"},
                      .group = prefix("239.1.0.0/16"),
                      .source = prefix("10.1.0.0/16")}};
  Rig rig = Rig::up(settings);
  EXPECT_THAT(rig.status().routes, IsEmpty());
  EXPECT_THAT(rig.data(kLan, kLanHost, kGroup),
              ElementsAre(Action(route(kGroup, kLanHost, kLan, {{kWan, 1}, {kGuest, 1}}))))
      << "upstream as well: the owner said so, for this route";
}

TEST(StaticRoutes, SayWhereASourceIsExpected) {
  auto settings = tv();
  settings.routes = {
      {.from = "lan", .to = {"guest"}, .group = prefix("239.1.0.0/16"), .source = prefix("172.16.0.0/12")}};
  Rig rig = Rig::up(settings);
  EXPECT_THAT(rig.data(kLan, ip("172.16.5.5"), kGroup),
              ElementsAre(Action(route(kGroup, ip("172.16.5.5"), kLan, {{kGuest, 1}}))));
}

TEST(StaticRoutes, OfAnySourceAreOneRouteWhereTheKernelHasSuch) {
  auto settings = tv();
  settings.routes = {{.from = "wan", .to = {"lan"}, .group = prefix("239.1.1.1")}};
  const IpAddress zeros = ip("0.0.0.0");
  Rig rig(settings, {.any_source_routes = true});
  EXPECT_THAT(of<SetRoute>(rig.interfaces(house())), ElementsAre(route(kGroup, zeros, kWan, {{kLan, 1}})));
  EXPECT_THAT(of<SetRoute>(rig.wish(kGuest, kGroup, any())),
              ElementsAre(route(kGroup, zeros, kWan, {{kLan, 1}, {kGuest, 1}})))
      << "the kernel asks no more, so it must serve those who listen as well";
  EXPECT_THAT(of<SetRoute>(rig.wish(kGuest, kGroup, exclude({kSource}))),
              ElementsAre(route(kGroup, kSource, kWan, {{kLan, 1}})))
      << "who excludes a source gets all others";
  EXPECT_THAT(of<SetRoute>(rig.wish(kGuest, kGroup, include({kSource2}))),
              AllOf(Contains(route(kGroup, zeros, kWan, {{kLan, 1}})),
                    Contains(route(kGroup, kSource2, kWan, {{kLan, 1}, {kGuest, 1}}))));
}

TEST(StaticRoutes, OfAnySourceAreLearnedWhereTheKernelHasNone) {
  auto settings = tv();
  settings.routes = {{.from = "wan", .to = {"lan"}, .group = prefix("239.1.1.1")}};
  Rig rig(settings);
  EXPECT_THAT(of<SetRoute>(rig.interfaces(house())), IsEmpty());
  EXPECT_THAT(rig.data(kWan, kSource, kGroup),
              ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}}))));
}

}  // namespace
}  // namespace hearthcast::proxy
