// New settings while it runs: what did not change is not touched.
#include "tests/unit/proxy/rig.hpp"

namespace hearthcast::proxy {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const PeerId kPhone{1};

struct Reload : testing::Test {
  Rig rig = Rig::up();

  void SetUp() override {
    (void)rig.wish(kLan, kGroup, include({kSource}));
    (void)rig.wish(kPhone, kOther, any());
    (void)rig.data(kWan, kSource2, ip("239.7.7.7"));
  }
  Actions reload(InstanceSettings settings) {
    return rig.proxy.reload({.instances = {std::move(settings)}}, rig.now);
  }
};

TEST_F(Reload, OfTheSameSettingsDoesNothing) { EXPECT_THAT(reload(tv()), IsEmpty()); }

TEST_F(Reload, OfOtherRulesTouchesOnlyWhatTheyConcern) {
  auto settings = tv();
  settings.rules = {{.verdict = Verdict::kDeny, .interface = "lan", .group = prefix("239.5.0.0/16")}};
  EXPECT_THAT(reload(settings), IsEmpty());
  settings.rules.push_back({.verdict = Verdict::kDeny, .interface = "lan", .source = prefix("192.0.2.1")});
  EXPECT_THAT(reload(settings), ElementsAre(Action(SetUpstreamFilter{kWan, kGroup, {}}),
                                            Action(route(kGroup, kSource, kWan, {}))));
  EXPECT_THAT(reload(tv()), ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 1}})),
                                        Action(SetUpstreamFilter{kWan, kGroup, include({kSource})})))
      << "the wish was remembered";
}

TEST_F(Reload, WithOneMoreDownstreamAddsIt) {
  auto settings = tv();
  settings.downstreams.push_back("cellar");
  EXPECT_THAT(reload(settings), IsEmpty()) << "it does not exist";
  auto all = house();
  all.push_back({InterfaceIndex{9}, "cellar", true, {}});
  EXPECT_THAT(
      rig.interfaces(all),
      ElementsAre(Action(AddInterface{InstanceId{1}, InterfaceIndex{9}, "cellar", Role::kDownstream, true})));
}

TEST_F(Reload, WithOneDownstreamLessRemovesIt) {
  auto settings = tv();
  settings.downstreams = {"guest"};
  EXPECT_THAT(reload(settings), ElementsAre(Action(SetUpstreamFilter{kWan, kGroup, {}}),
                                            Action(route(kGroup, kSource, kWan, {})),
                                            Action(RemoveInterface{InstanceId{1}, kLan})));
  EXPECT_THAT(rig.wish(kLan, kGroup, any()), IsEmpty());
}

TEST_F(Reload, WithAnotherUpstreamLeavesTheOldOne) {
  auto settings = tv();
  settings.upstreams = {"wan2"};
  const Actions actions = reload(settings);
  EXPECT_THAT(
      of<SetUpstreamFilter>(actions),
      testing::UnorderedElementsAre(SetUpstreamFilter{kWan, kGroup, {}}, SetUpstreamFilter{kWan, kOther, {}},
                                    SetUpstreamFilter{kWan2, kGroup, include({kSource})},
                                    SetUpstreamFilter{kWan2, kOther, any()}));
  EXPECT_THAT(of<SetRoute>(actions), Contains(route(kGroup, kSource, kWan2, {{kLan, 1}})));
  EXPECT_THAT(of<RemoveInterface>(actions), ElementsAre(RemoveInterface{InstanceId{1}, kWan}));
}

TEST_F(Reload, OfAThresholdChangesTheRoutesThatHaveIt) {
  auto settings = tv();
  settings.thresholds = {{"lan", 8}};
  EXPECT_THAT(reload(settings), ElementsAre(Action(route(kGroup, kSource, kWan, {{kLan, 8}}))));
}

TEST_F(Reload, OfStaticJoinsJoinsAndLeaves) {
  auto settings = tv();
  settings.joins = {{.group = prefix("239.9.9.9")}, {.group = prefix("239.1.1.2")}};
  EXPECT_THAT(reload(settings), ElementsAre(Action(SetUpstreamFilter{kWan, ip("239.9.9.9"), any()})))
      << "the other is joined already";
  EXPECT_THAT(reload(tv()), ElementsAre(Action(SetUpstreamFilter{kWan, ip("239.9.9.9"), {}})));
}

TEST_F(Reload, OfStaticRoutesSetsAndLetsThemGo) {
  auto settings = tv();
  settings.routes = {
      {.from = "wan", .to = {"guest"}, .group = prefix("239.8.8.8"), .source = prefix("192.0.2.1")},
      {.from = "wan", .to = {"guest"}, .group = prefix("239.7.0.0/16")}};
  EXPECT_THAT(reload(settings),
              testing::UnorderedElementsAre(Action(route(ip("239.8.8.8"), kSource, kWan, {{kGuest, 1}})),
                                            Action(route(ip("239.7.7.7"), kSource2, kWan, {{kGuest, 1}}))))
      << "known streams at once, not at their next packet";
  EXPECT_THAT(reload(tv()),
              testing::UnorderedElementsAre(Action(route(ip("239.8.8.8"), kSource, kWan, {})),
                                            Action(route(ip("239.7.7.7"), kSource2, kWan, {}))));
}

TEST_F(Reload, OfLimitsMakesRoom) {
  auto settings = tv();
  settings.limits.negative = 1;
  (void)rig.data(kWan, kSource2, ip("239.7.7.8"));
  EXPECT_THAT(of<RemoveRoute>(reload(settings)), SizeIs(1));
}

TEST_F(Reload, WithoutTheInstanceClosesIt) {
  const Actions actions = rig.proxy.reload({}, rig.now);
  EXPECT_THAT(of<SetUpstreamFilter>(actions), SizeIs(2));
  EXPECT_THAT(of<RemoveRoute>(actions), SizeIs(2));
  EXPECT_THAT(of<RemoveInterface>(actions), SizeIs(3));
  EXPECT_EQ(actions.back(), Action(RemoveInstance{InstanceId{1}}));
  EXPECT_THAT(rig.proxy.status(rig.now).instances, IsEmpty());
  EXPECT_EQ(rig.proxy.upstream_for(kGroup, kSource), std::nullopt);
}

TEST_F(Reload, TunnelsKeepWhatTheyWantWhileNoInstanceServesThem) {
  auto settings = tv();
  settings.tunnels = TunnelPolicy::kNone;
  EXPECT_THAT(reload(settings), ElementsAre(Action(SetUpstreamFilter{kWan, kOther, {}})));
  EXPECT_THAT(rig.wish(kPhone, ip("239.4.4.4"), any()), IsEmpty());
  EXPECT_THAT(reload(tv()),
              testing::UnorderedElementsAre(Action(SetUpstreamFilter{kWan, kOther, any()}),
                                            Action(SetUpstreamFilter{kWan, ip("239.4.4.4"), any()})));
}

TEST_F(Reload, TunnelsThatEndMeanwhileAreForgotten) {
  auto settings = tv();
  settings.tunnels = TunnelPolicy::kNone;
  (void)reload(settings);
  EXPECT_THAT(rig.proxy.on_downstream_gone(kPhone, rig.now), IsEmpty());
  EXPECT_THAT(reload(tv()), IsEmpty());
}

TEST_F(Reload, TunnelsMoveToTheInstanceThatServesThemNow) {
  auto one = tv();
  one.tunnels = TunnelPolicy::kNone;
  InstanceSettings two{
      .name = "radio", .upstreams = {"wan2"}, .downstreams = {}, .tunnels = TunnelPolicy::kChosen};
  (void)rig.proxy.on_channels({{kOther, kSource}}, rig.now);
  const Actions actions = rig.proxy.reload({.instances = {one, two}}, rig.now);
  EXPECT_THAT(of<SetUpstreamFilter>(actions), testing::Contains(SetUpstreamFilter{kWan, kOther, {}}));
  EXPECT_THAT(of<SetUpstreamFilter>(actions),
              testing::Contains(SetUpstreamFilter{kWan2, kOther, include({kSource})}));
  EXPECT_EQ(rig.proxy.upstream_for(kOther, kSource), kWan2);
}

TEST_F(Reload, AnInterfaceMovesBetweenInstances) {
  auto one = tv();
  one.downstreams = {"lan"};
  InstanceSettings two{.name = "radio", .upstreams = {"wan2"}, .downstreams = {"guest"}};
  const Actions actions = rig.proxy.reload({.instances = {two, one}}, rig.now);
  const auto at = [&](const Action& wanted) { return std::ranges::find(actions, wanted) - actions.begin(); };
  EXPECT_LT(at(RemoveInterface{InstanceId{1}, kGuest}),
            at(AddInterface{InstanceId{2}, kGuest, "guest", Role::kDownstream, true}));
  EXPECT_THAT(of<SetRoute>(actions), IsEmpty());
  EXPECT_EQ(rig.proxy.status(rig.now).instances[1].id, InstanceId{1}) << "known by name, wherever it stands";
}

TEST_F(Reload, WithoutLinksThereIsNoRoutingAndTunnelsStay) {
  auto settings = tv();
  settings.downstreams = {};
  const Actions actions = reload(settings);
  EXPECT_THAT(of<AddInterface>(actions),
              ElementsAre(AddInterface{InstanceId{1}, kWan, "wan", Role::kUpstream, false}));
  EXPECT_THAT(of<RemoveRoute>(actions), SizeIs(2));
  EXPECT_THAT(of<SetUpstreamFilter>(actions), ElementsAre(SetUpstreamFilter{kWan, kGroup, {}}));
  EXPECT_THAT(rig.status().routes, IsEmpty());
  EXPECT_THAT(of<AddInterface>(reload(tv())),
              ElementsAre(AddInterface{InstanceId{1}, kWan, "wan", Role::kUpstream, true},
                          AddInterface{InstanceId{1}, kLan, "lan", Role::kDownstream, true},
                          AddInterface{InstanceId{1}, kGuest, "guest", Role::kDownstream, true}));
}

TEST(Instances, AreIndependent) {
  InstanceSettings radio{.name = "radio", .upstreams = {"wan2"}, .downstreams = {"guest"}};
  auto tv_only = tv();
  tv_only.downstreams = {"lan"};
  Proxy proxy({.instances = {tv_only, radio}});
  const Time now = Time{} + 1h;
  (void)proxy.on_interfaces(house(), now);
  EXPECT_THAT(of<SetUpstreamFilter>(proxy.on_filter(kLan, kGroup, any(), now)),
              ElementsAre(SetUpstreamFilter{kWan, kGroup, any()}));
  EXPECT_THAT(of<SetUpstreamFilter>(proxy.on_filter(kGuest, kGroup, any(), now)),
              ElementsAre(SetUpstreamFilter{kWan2, kGroup, any()}));
  EXPECT_THAT(proxy.on_data(kWan2, kSource, kGroup, now),
              ElementsAre(Action(SetRoute{InstanceId{2}, {kGroup, kSource}, kWan2, {{kGuest, 1}}})));
  EXPECT_THAT(proxy.on_data(kWan, kSource, kGroup, now),
              ElementsAre(Action(SetRoute{InstanceId{1}, {kGroup, kSource}, kWan, {{kLan, 1}}})));
}

}  // namespace
}  // namespace hearthcast::proxy
