// Interfaces that come late, go, return under their name, are renumbered, bridged, refused.
#include "tests/unit/proxy/rig.hpp"

namespace hearthcast::proxy {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const PeerId kPhone{1};

AddInterface added(InterfaceIndex index, std::string name, Role role) {
  return {InstanceId{1}, index, std::move(name), role, true};
}

TEST(Row42_Interfaces, AreAddedWhenTheyAppear) {
  Rig rig;
  EXPECT_THAT(rig.status().interfaces, SizeIs(3));
  EXPECT_EQ(rig.status().interfaces[0].state, InterfaceState::kAbsent);
  EXPECT_THAT(rig.interfaces({lan()}), ElementsAre(Action(added(kLan, "lan", Role::kDownstream))));
  EXPECT_THAT(rig.interfaces({lan()}), IsEmpty());
  EXPECT_THAT(of<SetUpstreamFilter>(rig.wish(kLan, kGroup, include({kSource}))), IsEmpty())
      << "there is no upstream yet";
  EXPECT_THAT(rig.interfaces({lan(), wan()}),
              ElementsAre(Action(added(kWan, "wan", Role::kUpstream)),
                          Action(route(kGroup, kSource, kWan, {{kLan, 1}})),
                          Action(SetUpstreamFilter{kWan, kGroup, include({kSource})})));
  EXPECT_EQ(rig.status().interfaces[0].state, InterfaceState::kUp);
}

TEST(Row42_Interfaces, ADownstreamThatVanishesIsOutOfEverythingAtOnce) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  (void)rig.wish(kGuest, kGroup, include({kSource, kSource2}));
  EXPECT_THAT(
      rig.interfaces({wan(), lan(), wan2()}),
      ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}})),
                  Action(SetUpstreamFilter{kWan, kGroup, include({kSource})}),
                  Action(route(kGroup, kSource2, kWan, {})), Action(RemoveInterface{InstanceId{1}, kGuest})));
}

TEST(Row42_Interfaces, ADownstreamThatVanishesLeavesTheRoutesOfOthers) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  (void)rig.wish(kGuest, kGroup, include({kSource}));
  EXPECT_THAT(rig.interfaces({wan(), lan()}), ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}})),
                                                          Action(RemoveInterface{InstanceId{1}, kGuest})));
}

TEST(Row42_Interfaces, ALinkThatFailsWantsNothingAndComesBack) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  auto down = house();
  down[1].up = false;
  EXPECT_THAT(rig.interfaces(down), ElementsAre(Action(SetUpstreamFilter{kWan, kGroup, {}}),
                                                Action(route(kGroup, kSource, kWan, {}))));
  EXPECT_EQ(rig.status().interfaces[1].state, InterfaceState::kDown);
  EXPECT_THAT(rig.interfaces(house()),
              ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}})),
                          Action(SetUpstreamFilter{kWan, kGroup, include({kSource})})));
}

TEST(Row42_Interfaces, AReturnUnderTheSameNameIsAnotherInterface) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  auto again = house();
  again[1].index = InterfaceIndex{30};
  const Actions actions = rig.interfaces(again);
  EXPECT_THAT(actions, ElementsAre(Action(SetUpstreamFilter{kWan, kGroup, {}}),
                                   Action(route(kGroup, kSource, kWan, {})),
                                   Action(RemoveInterface{InstanceId{1}, kLan}),
                                   Action(added(InterfaceIndex{30}, "lan", Role::kDownstream))));
  EXPECT_THAT(rig.wish(kLan, kGroup, any()), IsEmpty()) << "the old one is nobody";
  EXPECT_THAT(of<SetRoute>(rig.wish(InterfaceIndex{30}, kGroup, include({kSource}))),
              ElementsAre(route(kGroup, kSource, kWan, {{InterfaceIndex{30}, 1}})));
}

TEST(Row43_Upstream, AReturnWithAnotherIndexIsJoinedAnewAndNobodyBelowNotices) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  (void)rig.wish(kPhone, kOther, any());
  auto again = house();
  again[0].index = InterfaceIndex{20};
  const Actions actions = rig.interfaces(again);
  EXPECT_THAT(of<SetUpstreamFilter>(actions),
              ElementsAre(SetUpstreamFilter{InterfaceIndex{20}, kGroup, include({kSource})},
                          SetUpstreamFilter{InterfaceIndex{20}, kOther, any()}));
  EXPECT_THAT(of<SetRoute>(actions), Contains(route(kGroup, kSource, InterfaceIndex{20}, {{kLan, 1}})));
  EXPECT_LT(place_of<RemoveInterface>(actions), place_of<AddInterface>(actions));
  EXPECT_LT(place_of<AddInterface>(actions), place_of<SetUpstreamFilter>(actions));
  EXPECT_THAT(rig.status().groups, SizeIs(2));
  EXPECT_EQ(rig.proxy.upstream_for(kGroup, kSource), InterfaceIndex{20});
}

TEST(Row43_Upstream, ANewAddressIsReportedFrom) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  auto renumbered = house();
  renumbered[0].addresses = {{ip("198.51.100.99"), 24}};
  EXPECT_THAT(rig.interfaces(renumbered), ElementsAre(Action(ReportAgain{kWan})));
  EXPECT_THAT(rig.interfaces(renumbered), IsEmpty());
}

TEST(Row43_Upstream, ALinkThatReturnsIsReportedTo) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  auto down = house();
  down[0].up = false;
  EXPECT_THAT(rig.interfaces(down), IsEmpty()) << "the only upstream keeps its groups";
  EXPECT_THAT(rig.interfaces(house()), ElementsAre(Action(ReportAgain{kWan})));
}

TEST(Row43_Upstream, WithoutJoinsNothingIsReported) {
  Rig rig = Rig::up();
  auto renumbered = house();
  renumbered[0].addresses = {};
  EXPECT_THAT(rig.interfaces(renumbered), IsEmpty());
}

TEST(Row43_Upstream, IsReportedToAgainWhileItNeverAsks) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, any());
  EXPECT_THAT(of<ReportAgain>(rig.pass(1000s)), SizeIs(8)) << "each 125 s";
  for (int i = 0; i < 20; ++i) {
    (void)rig.proxy.on_query(kWan, {ip("198.51.100.1"), 3}, rig.now);
    EXPECT_THAT(of<ReportAgain>(rig.pass(100s)), IsEmpty()) << "the kernel answers queries";
  }
}

TEST(Interfaces, TheOneTooManyForAKernelTableIsLeftOutWithWords) {
  auto settings = tv();
  std::vector<Interface> all{wan()};
  settings.downstreams.clear();
  for (std::int64_t n = 0; n < 32; ++n) {
    settings.downstreams.push_back("lan" + std::to_string(n));
    all.push_back({InterfaceIndex{100 + n}, "lan" + std::to_string(n), true, {}});
  }
  Rig rig(settings);
  const Actions actions = rig.interfaces(all);
  EXPECT_THAT(of<AddInterface>(actions), SizeIs(32));
  const auto alarms = of<Alarm>(actions);
  ASSERT_THAT(alarms, SizeIs(1));
  EXPECT_EQ(alarms[0].code, AlarmCode::kTableFull);
  EXPECT_THAT(alarms[0].text,
              HasSubstr("Interface lan31 is left out of multicast instance tv: a kernel table holds 32"));
  EXPECT_EQ(rig.status().interfaces.back().state, InterfaceState::kRefused);
  EXPECT_THAT(rig.findings(Finding::kRefused), ElementsAre(HasSubstr("lan31")));
  EXPECT_THAT(rig.interfaces(all), IsEmpty()) << "said once";
  EXPECT_THAT(rig.wish(InterfaceIndex{131}, kGroup, any()), IsEmpty());
  all.erase(all.begin() + 5);
  EXPECT_THAT(rig.interfaces(all), Contains(Action(added(InterfaceIndex{131}, "lan31", Role::kDownstream))))
      << "one went, and there is room";
}

TEST(Interfaces, TunnelsNeedNoKernelTable) {
  Rig rig = Rig::up({.name = "away", .upstreams = {"wan"}, .downstreams = {}, .tunnels = TunnelPolicy::kAll},
                    {.table_interfaces = 0});
  EXPECT_EQ(rig.status().interfaces[0].state, InterfaceState::kUp);
  EXPECT_THAT(rig.wish(kPhone, kGroup, any()), ElementsAre(Action(SetUpstreamFilter{kWan, kGroup, any()})));
  EXPECT_THAT(rig.data(kWan, kSource, kGroup), IsEmpty());
}

TEST(Interfaces, TheKernelsRefusalIsToldAndLastsUntilTheInterfaceIsMadeAnew) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  const Actions refused = rig.proxy.on_interface_refused(kLan, "no such device", rig.now);
  ASSERT_THAT(of<Alarm>(refused), SizeIs(1));
  EXPECT_THAT(of<Alarm>(refused)[0].text,
              HasSubstr("Interface lan cannot be used for multicast routing: no such device"));
  EXPECT_THAT(of<SetUpstreamFilter>(refused), ElementsAre(SetUpstreamFilter{kWan, kGroup, {}}));
  EXPECT_THAT(of<RemoveInterface>(refused), SizeIs(1));
  EXPECT_EQ(rig.status().interfaces[1].state, InterfaceState::kRefused);
  EXPECT_EQ(rig.status().interfaces[1].why, "no such device");
  EXPECT_THAT(rig.interfaces(house()), IsEmpty());
  auto again = house();
  again[1].index = InterfaceIndex{30};
  EXPECT_THAT(of<AddInterface>(rig.interfaces(again)),
              ElementsAre(added(InterfaceIndex{30}, "lan", Role::kDownstream)));
}

TEST(Interfaces, ARefusedUpstreamIsLeft) {
  Rig rig = Rig::up();
  (void)rig.wish(kPhone, kGroup, any());
  EXPECT_THAT(of<SetUpstreamFilter>(rig.proxy.on_interface_refused(kWan, "busy", rig.now)),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, {}}));
  EXPECT_THAT(rig.proxy.on_interface_refused(InterfaceIndex{99}, "busy", rig.now), IsEmpty());
  EXPECT_EQ(rig.proxy.upstream_for(kGroup, kSource), std::nullopt);
}

TEST(Interfaces, ANewHomePrefixChangesWhereSourcesAreExpected) {
  Rig rig = Rig::up();
  (void)rig.wish(kGuest, kGroup, any());
  (void)rig.data(kWan, ip("10.9.0.1"), kGroup);
  auto renumbered = house();
  renumbered[1].addresses.push_back({ip("10.9.0.254"), 24});
  EXPECT_THAT(of<SetRoute>(rig.interfaces(renumbered)),
              ElementsAre(route(kGroup, ip("10.9.0.1"), kLan, {{kGuest, 1}})));
}

TEST(Row09_Loop, AnOwnQueryHeardUpstreamShutsThatDownstreamOff) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  (void)rig.wish(kGuest, kGroup, include({kSource}));
  const Actions looped = rig.proxy.on_query(kWan, {ip("10.1.0.1"), 3}, rig.now);
  ASSERT_THAT(of<Alarm>(looped), SizeIs(1));
  EXPECT_EQ(of<Alarm>(looped)[0].code, AlarmCode::kLoop);
  EXPECT_THAT(of<Alarm>(looped)[0].text, HasSubstr("sent on lan came in on wan"));
  EXPECT_THAT(of<SetRoute>(looped), ElementsAre(route(kGroup, kSource, kWan, {{kGuest, 1}})));
  EXPECT_EQ(rig.status().interfaces[1].state, InterfaceState::kLooped);
  EXPECT_THAT(rig.findings(Finding::kLoop), ElementsAre(HasSubstr("lan is one network with the upstream")));
  EXPECT_FALSE(rig.status().interfaces[0].queriers[0].heard) << "it says nothing about the provider";
  EXPECT_THAT(rig.data(kLan, ip("10.1.0.9"), kOther),
              ElementsAre(Action(route(kOther, ip("10.1.0.9"), kLan, {}))));
}

TEST(Row09_Loop, LastsWhileItIsHeardAndEndsByItself) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  for (int i = 0; i < 10; ++i) {
    const Actions actions = rig.proxy.on_query(kWan, {ip("10.1.0.1"), 3}, rig.now);
    EXPECT_THAT(of<Alarm>(actions), SizeIs(i == 0 ? 1 : 0));
    (void)rig.pass(125s);
    EXPECT_EQ(rig.status().interfaces[1].state, InterfaceState::kLooped);
  }
  const Actions ended = rig.pass(260s);
  ASSERT_THAT(of<Alarm>(ended), SizeIs(1));
  EXPECT_EQ(of<Alarm>(ended)[0].code, AlarmCode::kLoopEnded);
  EXPECT_THAT(of<SetRoute>(ended), ElementsAre(route(kGroup, kSource, kWan, {{kLan, 1}})));
  EXPECT_THAT(of<SetUpstreamFilter>(ended), SizeIs(1));
}

TEST(Row09_Loop, UpstreamAndDownstreamOnOneBridgeAreRefused) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  auto bridged = house();
  bridged[0].link = bridged[1].link = InterfaceIndex{50};
  const Actions actions = rig.interfaces(bridged);
  ASSERT_THAT(of<Alarm>(actions), SizeIs(1));
  EXPECT_THAT(of<Alarm>(actions)[0].text, HasSubstr("lan and wan are joined inside this machine"));
  EXPECT_THAT(of<SetUpstreamFilter>(actions), ElementsAre(SetUpstreamFilter{kWan, kGroup, {}}));
  EXPECT_EQ(rig.status().interfaces[1].state, InterfaceState::kLooped);
  EXPECT_EQ(rig.status().interfaces[1].why, "this machine joins it to the upstream");
  EXPECT_THAT(rig.interfaces(bridged), IsEmpty());
  const Actions ended = rig.interfaces(house());
  EXPECT_EQ(of<Alarm>(ended).at(0).code, AlarmCode::kLoopEnded);
  EXPECT_THAT(of<SetRoute>(ended), ElementsAre(route(kGroup, kSource, kWan, {{kLan, 1}})));
}

TEST(Row09_Loop, TwoLinksOfThisMachineAreTwoNetworks) {
  Rig rig;
  auto joined = house();
  joined[0].link = joined[1].link = kLan;  // an upstream that is a port of the downstream, or on it
  EXPECT_EQ(of<Alarm>(rig.interfaces(joined)).at(0).code, AlarmCode::kLoop);
  EXPECT_THAT(rig.findings(Finding::kLoop), ElementsAre(HasSubstr("this machine itself joins them")));
  joined[0].link = InterfaceIndex{50};
  joined[1].link = InterfaceIndex{51};
  EXPECT_EQ(of<Alarm>(rig.interfaces(joined)).at(0).code, AlarmCode::kLoopEnded);
  joined[0].link = joined[1].link = InterfaceIndex{};
  EXPECT_THAT(of<Alarm>(rig.interfaces(joined)), IsEmpty()) << "nothing is known of either";
}

TEST(Row09_Loop, OneRouterOnBothSidesIsASuspicion) {
  Rig rig = Rig::up();
  (void)rig.proxy.on_query(kWan, {ip("10.1.0.254"), 3}, rig.now);
  const auto alarms = of<Alarm>(rig.proxy.on_querier(kLan, Family::kIp4, false, ip("10.1.0.254"), rig.now));
  ASSERT_THAT(alarms, SizeIs(2));
  EXPECT_EQ(alarms[1].code, AlarmCode::kSameRouter);
  EXPECT_THAT(rig.findings(Finding::kSameRouter), ElementsAre(HasSubstr("Are the two one network?")));
  EXPECT_EQ(rig.status().interfaces[1].state, InterfaceState::kUp);
}

TEST(Row44_Shutdown, LeavesEverythingThenRemovesEverything) {
  Rig rig = Rig::up();
  (void)rig.wish(kLan, kGroup, include({kSource}));
  (void)rig.wish(kPhone, kOther, any());
  (void)rig.data(kWan, kSource2, kOther);
  EXPECT_THAT(
      rig.proxy.close(rig.now),
      ElementsAre(Action(SetUpstreamFilter{kWan, kGroup, {}}), Action(SetUpstreamFilter{kWan, kOther, {}}),
                  Action(no_route(kGroup, kSource, kWan)), Action(no_route(kOther, kSource2, kWan)),
                  Action(RemoveInterface{InstanceId{1}, kWan}), Action(RemoveInterface{InstanceId{1}, kLan}),
                  Action(RemoveInterface{InstanceId{1}, kGuest})));
  EXPECT_EQ(rig.proxy.next_deadline(), kNever);
  EXPECT_THAT(rig.proxy.close(rig.now), IsEmpty());
}

}  // namespace
}  // namespace hearthcast::proxy
