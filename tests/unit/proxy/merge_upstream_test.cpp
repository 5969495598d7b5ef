// What the upstream is told: the merge of all downstreams, once a change.
#include "tests/unit/proxy/rig.hpp"

namespace hearthcast::proxy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const PeerId kPhone{1}, kLaptop{2};

TEST(Row04_Upstream, IsToldTheMergeOfLinksAndTunnels) {
  Rig rig = Rig::up();
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, kGroup, include({kSource}))),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, include({kSource})}));
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kPhone, kGroup, include({kSource2}))),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, include({kSource, kSource2})}));
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kGuest, kGroup, exclude({kSource2}))),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, any()}))
      << "the phone wants what the guest does not";
  EXPECT_THAT(of<SetUpstreamFilter>(rig.proxy.on_downstream_gone(kPhone, rig.now)),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, exclude({kSource2})}));
}

TEST(Row05_Change, ASecondListenerOfTheSameCausesNothingUpstream) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kGuest, kGroup, include({kSource}))), IsEmpty());
  EXPECT_THAT(rig.wish(kPhone, kGroup, include({kSource})), IsEmpty()) << "and the data plane serves tunnels";
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, kGroup, {})), IsEmpty());
  EXPECT_THAT(rig.proxy.on_downstream_gone(kPhone, rig.now), IsEmpty());
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kGuest, kGroup, {})), SizeIs(1));
  EXPECT_EQ(rig.status().upstream_changes, 2U);
}

TEST(Row05_Change, SayingTheSameAgainCausesNothingAtAll) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, exclude({kSource}));
  EXPECT_THAT(rig.wish(kLan, kGroup, exclude({kSource})), IsEmpty());
  EXPECT_THAT(rig.wish(kLan, kOther, {}), IsEmpty());
  EXPECT_THAT(rig.status().groups, SizeIs(1));
}

TEST(Row11_LastLeave, IsToldAtOnce) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, kGroup, {})),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, {}}));
  EXPECT_THAT(rig.status().groups, IsEmpty());
}

TEST(Row36_SmallChanges, OneMoreSourceIsOneMoreAndNeverALeave) {
  Rig rig = Rig::up();
  SourceFilter wanted;
  for (std::uint32_t n = 1; n <= 20; ++n) {
    wanted.sources.insert(IpAddress::ip4(0xC0000200U + n));
    EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, ip("232.1.1.1"), wanted)),
                ElementsAre(SetUpstreamFilter{kWan, ip("232.1.1.1"), wanted}));
  }
  while (wanted.sources.size() > 1) {
    wanted.sources.erase(wanted.sources.begin());
    EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, ip("232.1.1.1"), wanted)),
                ElementsAre(SetUpstreamFilter{kWan, ip("232.1.1.1"), wanted}));
  }
}

TEST(Row24_LinkScope, NeverReachesTheUpstream) {
  Rig rig = Rig::up();
  for (const char* group : {"224.0.0.251", "ff02::fb", "ff01::1", "ff00::1"}) {
    EXPECT_THAT(rig.wish(kLan, ip(group), any()), IsEmpty()) << group;
    EXPECT_THAT(rig.wish(kPhone, ip(group), any()), IsEmpty()) << group;
  }
  EXPECT_EQ(rig.drops(Drop::kLinkScope), 8U);
  EXPECT_THAT(rig.wish(kLan, ip("10.0.0.1"), any()), IsEmpty());
  EXPECT_EQ(rig.drops(Drop::kNotMulticast), 1U);
  EXPECT_THAT(rig.status().groups, IsEmpty());
}

TEST(Row27_Refusals, AreCountedByTheirReason) {
  auto settings = tv();
  settings.rules = {{.verdict = Verdict::kDeny, .interface = "guest"}};
  settings.boundaries = {{.interface = "lan", .groups = {prefix("239.255.0.0/16")}}};
  settings.tunnels = TunnelPolicy::kChosen;
  Rig rig = Rig::up(settings);
  EXPECT_THAT(rig.wish(kGuest, kGroup, any()), IsEmpty());
  EXPECT_THAT(rig.wish(kLan, ip("239.255.1.1"), any()), IsEmpty());
  EXPECT_THAT(rig.wish(kLan, ip("232.1.1.1"), any()), IsEmpty());
  EXPECT_THAT(rig.wish(kPhone, kGroup, any()), IsEmpty());
  EXPECT_THAT(rig.wish(InterfaceIndex{99}, kGroup, any()), IsEmpty());
  EXPECT_EQ(rig.drops(Drop::kDeniedByRule), 1U);
  EXPECT_EQ(rig.drops(Drop::kBoundary), 1U);
  EXPECT_EQ(rig.drops(Drop::kSourceMissing), 1U);
  EXPECT_EQ(rig.drops(Drop::kNotChosen), 1U);
  EXPECT_EQ(rig.proxy.status(rig.now).stray.of(Drop::kUnknownDownstream), 1U);
}

TEST(Row02_Upstream, WhatListenersOfTheUpstreamSayIsNotTaken) {
  Rig rig = Rig::up();
  EXPECT_THAT(rig.wish(kWan, kGroup, any()), IsEmpty());
  EXPECT_THAT(rig.status().groups, IsEmpty());
  EXPECT_EQ(rig.proxy.status(rig.now).stray.of(Drop::kUnknownDownstream), 1U);
}

TEST(Row03_Downstream, NothingIsEverJoinedThere) {
  Rig rig = Rig::up();
  for (const DownstreamId who : {DownstreamId(kLan), DownstreamId(kGuest), DownstreamId(kPhone)}) {
    for (const SetUpstreamFilter& told :
         of<SetUpstreamFilter>(rig.wish(who, kGroup, include({ip("10.1.0.9"), kSource})))) {
      EXPECT_EQ(told.index, kWan);
    }
  }
}

TEST(Row38_Tunnels, GetWhatIsChosenWhenItIsChosen) {
  auto settings = tv();
  settings.tunnels = TunnelPolicy::kChosen;
  Rig rig = Rig::up(settings);
  (void)rig.wish(kPhone, kGroup, any());
  (void)rig.wish(kLaptop, kOther, any());
  EXPECT_THAT(of<SetUpstreamFilter>(rig.proxy.on_channels({{kGroup, kSource}}, rig.now)),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, include({kSource})}));
  EXPECT_THAT(of<SetUpstreamFilter>(rig.proxy.on_channels({{kOther}}, rig.now)),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, {}}, SetUpstreamFilter{kWan, kOther, any()}));
  EXPECT_THAT(rig.proxy.on_channels({{kOther}}, rig.now), IsEmpty());
}

TEST(StaticJoins, HoldWhatNobodyAsksFor) {
  auto settings = tv();
  settings.joins = {{.group = prefix("239.9.9.8/31")},
                    {.upstream = "wan", .group = prefix("232.1.1.1"), .source = kSource}};
  Rig rig(settings);
  EXPECT_THAT(of<SetUpstreamFilter>(rig.interfaces(house())),
              ElementsAre(SetUpstreamFilter{kWan, ip("232.1.1.1"), include({kSource})},
                          SetUpstreamFilter{kWan, ip("239.9.9.8"), any()},
                          SetUpstreamFilter{kWan, ip("239.9.9.9"), any()}));
  (void)rig.wish(kLan, ip("239.9.9.8"), any());
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, ip("239.9.9.8"), {})), IsEmpty());
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, ip("232.1.1.1"), include({kSource2}))),
              ElementsAre(SetUpstreamFilter{kWan, ip("232.1.1.1"), include({kSource, kSource2})}));
}

TEST(StaticJoins, OnANamedUpstreamStayThere) {
  auto settings = tv();
  settings.upstreams = {"wan", "wan2"};
  settings.joins = {{.upstream = "wan2", .group = prefix("239.9.9.9")}};
  Rig rig(settings);
  EXPECT_THAT(of<SetUpstreamFilter>(rig.interfaces(house())),
              ElementsAre(SetUpstreamFilter{kWan2, ip("239.9.9.9"), any()}));
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, ip("239.9.9.9"), any())),
              ElementsAre(SetUpstreamFilter{kWan, ip("239.9.9.9"), any()}));
}

struct TwoUpstreams : testing::Test {
  static InstanceSettings settings() {
    auto two = tv();
    two.upstreams = {"wan", "wan2"};
    two.rules = {{.verdict = Verdict::kDeny, .interface = "wan", .group = prefix("239.2.0.0/16")},
                 {.verdict = Verdict::kDeny, .interface = "wan", .source = prefix("203.0.113.0/24")}};
    return two;
  }
};

TEST_F(TwoUpstreams, AreChosenByRules) {
  Rig rig = Rig::up(settings());
  EXPECT_EQ(rig.proxy.upstream_for(kGroup, kSource), kWan);
  EXPECT_EQ(rig.proxy.upstream_for(ip("239.2.0.1"), kSource), kWan2);
  EXPECT_EQ(rig.proxy.upstream_for(ip("239.2.0.1"), std::nullopt), kWan2);
  EXPECT_EQ(rig.proxy.upstream_for(kGroup, ip("203.0.113.1")), kWan2);
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, kGroup, include({kSource, ip("203.0.113.1")}))),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, include({kSource})},
                          SetUpstreamFilter{kWan2, kGroup, include({ip("203.0.113.1")})}));
}

TEST_F(TwoUpstreams, BothBringAGroupFromAnySourceWhenEachHasSome) {
  Rig rig = Rig::up(settings());
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, kGroup, any())),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, any()}, SetUpstreamFilter{kWan2, kGroup, any()}));
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, ip("239.2.0.1"), any())),
              ElementsAre(SetUpstreamFilter{kWan2, ip("239.2.0.1"), any()}));
}

TEST_F(TwoUpstreams, TheSecondServesWhileTheFirstIsDown) {
  auto plain = tv();
  plain.upstreams = {"wan", "wan2"};
  Rig rig = Rig::up(plain);
  (void)rig.wish(kLan, kGroup, include({kSource}));
  auto down = house();
  down[0].up = false;
  const Actions moved = rig.interfaces(down);
  EXPECT_THAT(moved, ElementsAre(Action(route(kGroup, kSource, kWan2, {{kLan, 1}})),
                                 Action(SetUpstreamFilter{kWan2, kGroup, include({kSource})}),
                                 Action(SetUpstreamFilter{kWan, kGroup, {}})))
      << "route, join, and only then leave";
  EXPECT_EQ(rig.proxy.upstream_for(kGroup, kSource), kWan2);
  EXPECT_THAT(of<SetUpstreamFilter>(rig.interfaces(house())), SizeIs(2));
  EXPECT_EQ(rig.proxy.upstream_for(kGroup, kSource), kWan);
}

TEST_F(TwoUpstreams, WhileNoneIsUpTheFirstKeepsWhatItHas) {
  auto plain = tv();
  plain.upstreams = {"wan"};
  Rig rig = Rig::up(plain);
  (void)rig.wish(kLan, kGroup, any());
  auto down = house();
  down[0].up = false;
  EXPECT_THAT(rig.interfaces(down), IsEmpty());
  EXPECT_EQ(rig.proxy.upstream_for(kGroup, kSource), kWan);
}

}  // namespace
}  // namespace hearthcast::proxy
