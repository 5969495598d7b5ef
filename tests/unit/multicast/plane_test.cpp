// The plane on a machine without a kernel: what comes in on links, tables and tunnels, and what is done for
// it.
#include "appliance/multicast/plane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/multicast/plane_fixture.hpp"

namespace hearthcast::multicast {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(PlaneTest, WithoutAnInstanceNothingIsOpenedAndNothingWakesIt) {
  start("");
  EXPECT_THAT(machine.links, IsEmpty());
  EXPECT_THAT(machine.table_readable, IsEmpty());
  EXPECT_EQ(machine.wake, kNever);
  EXPECT_THAT(plane->status(now).proxy.instances, IsEmpty());
  EXPECT_THAT(plane->status(now).troubles, IsEmpty());
}

TEST_F(PlaneTest, EveryLinkIsOpenedAndDownstreamsAreAskedInBothFamilies) {
  start();
  EXPECT_THAT(machine.links, testing::SizeIs(3));
  EXPECT_THAT(machine.links.at(2).sent, IsEmpty());  // never a query upstream
  int four = 0, six = 0;
  for (const Buffer& packet : machine.links.at(3).sent) {
    const auto decoded = wire::decode_membership_packet(packet);
    ASSERT_TRUE(decoded);
    ASSERT_TRUE(std::holds_alternative<wire::MembershipQuery>(decoded->message));
    EXPECT_EQ(decoded->source, decoded->source.is_ip4() ? ip("192.0.3.1") : ip("fe80::3"));
    (decoded->source.is_ip4() ? four : six)++;
  }
  EXPECT_EQ(four, 2);
  EXPECT_EQ(six, 2);
}

TEST_F(PlaneTest, AJoinSetsTheRouteBeforeTheGroupIsJoined) {
  start();
  join();
  EXPECT_THAT(machine.news(), ElementsAre("route (2001:db8::1,ff3e::8000:1) 2-> 3",
                                          "join 2 ff3e::8000:1 INCLUDE {2001:db8::1}"));
}

TEST_F(PlaneTest, ASecondListenerCostsTheProviderNothing) {
  start();
  join(3);
  (void)machine.news();
  join(4, "fe80::77");
  EXPECT_THAT(machine.news(), ElementsAre("route (2001:db8::1,ff3e::8000:1) 2-> 3 4"));
}

TEST_F(PlaneTest, TheLastLeaveIsAskedAboutThenTheProviderIsLeft) {
  start();
  join();
  (void)machine.news();
  machine.links.at(3).sent.clear();
  leave();
  EXPECT_THAT(machine.links.at(3).sent, Not(IsEmpty()));  // the specific query
  EXPECT_THAT(outputs(), ElementsAre(3));                 // nothing stops before it is answered
  run(3s);
  EXPECT_THAT(outputs(), IsEmpty());
  EXPECT_THAT(machine.joined, IsEmpty());
}

TEST_F(PlaneTest, IgmpGoesTheSameWay) {
  start();
  machine.hear(3, report("192.0.3.9", RecordType::kAllowNewSources, "232.1.1.1", {ip("198.51.100.1")}), now);
  EXPECT_THAT(outputs("232.1.1.1", "198.51.100.1"), ElementsAre(3));
  EXPECT_TRUE(machine.joined.contains({2, ip("232.1.1.1")}));
}

TEST_F(PlaneTest, AnySourceStreamsAreRoutedByTheirFirstPacketAtTheLatest) {
  start();
  machine.hear(3, report("192.0.3.9", RecordType::kChangeToExclude, "239.1.1.1", {}), now);
  EXPECT_TRUE(machine.joined.at({2, ip("239.1.1.1")}).admits(ip("198.51.100.1")));
  machine.tell(Family::kIp4,
               {.kind = linux::RouteUpcall::Kind::kNoRoute,
                .input = 2,
                .source = ip("198.51.100.1"),
                .group = ip("239.1.1.1")},
               now);
  std::vector<unsigned> to;
  for (const auto& [key, route] : machine.routes) {
    if (key.group == ip("239.1.1.1") && !route.outputs.empty()) {
      to.push_back(route.outputs.front().interface_index);
    }
  }
  EXPECT_THAT(to, Contains(3U));
}

TEST_F(PlaneTest, UnwantedPacketsGetANegativeEntry) {
  start();
  machine.tell(Family::kIp4,
               {.kind = linux::RouteUpcall::Kind::kNoRoute,
                .input = 2,
                .source = ip("198.51.100.1"),
                .group = ip("239.7.7.7")},
               now);
  const auto found = machine.routes.find({ip("239.7.7.7"), ip("198.51.100.1")});
  ASSERT_NE(found, machine.routes.end());
  EXPECT_THAT(found->second.outputs, IsEmpty());
}

TEST_F(PlaneTest, ADownstreamThatLosesItsLinkLeavesItsRoutesAtOnceAndComesBackWithQueries) {
  start();
  join();
  interfaces[1].running = false;
  plane->on_interfaces(interfaces, now);
  EXPECT_THAT(outputs(), IsEmpty());
  EXPECT_THAT(machine.joined, IsEmpty());
  machine.links.at(3).sent.clear();
  interfaces[1].running = true;
  plane->on_interfaces(interfaces, now);
  run(1s);
  EXPECT_THAT(machine.links.at(3).sent, Not(IsEmpty()));
  join();
  EXPECT_THAT(outputs(), ElementsAre(3));
}

TEST_F(PlaneTest, AnInterfaceMadeAnewUnderItsNameIsServedAnew) {
  start();
  join();
  interfaces.erase(interfaces.begin() + 1);
  plane->on_interfaces(interfaces, now);
  EXPECT_FALSE(machine.links.contains(3));
  EXPECT_THAT(machine.joined, IsEmpty());
  interfaces.push_back(ethernet(9, "lan", 1));
  plane->on_interfaces(interfaces, now);
  run(40s);
  ASSERT_TRUE(machine.links.contains(9));
  EXPECT_THAT(machine.links.at(9).sent, Not(IsEmpty()));
  join(9);
  EXPECT_THAT(outputs(), ElementsAre(9));
}

TEST_F(PlaneTest, NoMldQueryLeavesWhileTheAddressIsTentative) {
  plane = std::make_unique<Plane>(machine, log, settings_of(kTv));
  interfaces = {ethernet(2, "wan", 5), ethernet(3, "lan", 1)};
  interfaces[1].addresses[1].tentative = true;
  plane->on_interfaces(interfaces, now);
  run(10s);
  for (const Buffer& packet : machine.links.at(3).sent) {
    EXPECT_EQ(packet[0] >> 4, 4);
  }
  interfaces[1].addresses[1].tentative = false;
  plane->on_interfaces(interfaces, now);
  run(100ms);
  EXPECT_EQ(machine.links.at(3).sent.back()[0] >> 4, 6);
}

TEST_F(PlaneTest, AnotherQuerierTakesTheLinkOver) {
  start();
  join();
  ASSERT_THAT(outputs(), ElementsAre(3));
  machine.hear(3,
               wire::encode_membership_packet({.source = ip("fe80::2"),
                                               .destination = wire::kAllNodes6,
                                               .message = wire::MembershipQuery{.version = 2,
                                                                                .max_response = 10s,
                                                                                .group = ip("::"),
                                                                                .robustness = 2,
                                                                                .query_interval = 125s}}),
               now);
  EXPECT_THAT(outputs(), IsEmpty());  // two forwarders would double every packet
  const auto status = plane->status(now);
  EXPECT_EQ(status.links.at(0).families.at(1).role, membership::QuerierRole::kOther);
  EXPECT_THAT(log.lines, Contains(AllOf(HasSubstr("querier"), HasSubstr("self=no"), HasSubstr("fe80::2"))));
}

TEST_F(PlaneTest, TellsWhatTheKernelRoutedThroughEachInterface) {
  start();
  const auto traffic = plane->status(now).traffic;
  EXPECT_THAT(traffic, Contains(InterfaceTraffic{.index = proxy::InterfaceIndex{3},
                                                 .family = Family::kIp6,
                                                 .packets_in = 3,
                                                 .bytes_in = 3000,
                                                 .packets_out = 6}));
  EXPECT_THAT(traffic, Contains(AllOf(testing::Field(&InterfaceTraffic::index, proxy::InterfaceIndex{2}),
                                      testing::Field(&InterfaceTraffic::family, Family::kIp4),
                                      testing::Field(&InterfaceTraffic::packets_out, 4U))));
}

TEST_F(PlaneTest, QueriesOfTheProviderAreHeardAndNamed) {
  start();
  machine.hear(
      2,
      wire::encode_membership_packet(
          {.source = ip("192.0.2.254"),
           .destination = wire::kAllHosts4,
           .message = wire::MembershipQuery{.version = 2, .max_response = 10s, .group = ip("0.0.0.0")}}),
      now);
  const auto upstream = plane->status(now).proxy.instances.at(0).interfaces.at(0);
  EXPECT_EQ(upstream.queriers[0].version, 2U);
  EXPECT_EQ(upstream.queriers[0].address, ip("192.0.2.254"));
}

TEST_F(PlaneTest, AProviderThatNeverAsksIsToldOfAfterFiveMinutesAndReportedToAgain) {
  start();
  join();
  const auto found = [&] {
    std::vector<std::string> texts;
    const auto status = plane->status(now);
    for (const auto& row : status.proxy.instances.at(0).diagnosis) {
      if (row.finding == proxy::Finding::kNoQuery) {
        texts.push_back(row.text);
      }
    }
    return texts;
  };
  for (int minute = 0; minute < 4; ++minute) {
    run(60s);
    join();  // the host at home answers our queries
  }
  EXPECT_THAT(found(), IsEmpty());
  const int before = machine.reported_again;
  run(61s);
  EXPECT_THAT(found(), ElementsAre(HasSubstr("No query seen from the provider on wan (IPv6) for 301 s")));
  EXPECT_GT(machine.reported_again + before, 0) << "no provider forgets us";
}

TEST_F(PlaneTest, AfterTheUpstreamsLinkWasAwayEverythingIsReportedAgainTwice) {
  start();
  join();
  interfaces[0].running = false;
  plane->on_interfaces(interfaces, now);
  interfaces[0].running = true;
  plane->on_interfaces(interfaces, now);
  run(5s);
  EXPECT_GE(machine.reported_again, UpstreamLink::kReports);
  EXPECT_EQ(machine.reported_as.own_ip4, ip("192.0.2.5"));
  EXPECT_EQ(machine.reported_as.own_ip6, ip("fe80::2"));
  EXPECT_EQ(machine.reported_as.igmp_version, 3);
  EXPECT_THAT(outputs(), ElementsAre(3));
}

TEST_F(PlaneTest, ALinkThatCannotBeOpenedIsRefusedInWordsAndTheOthersWork) {
  machine.no_links = {4};
  start();
  join(3);
  EXPECT_THAT(outputs(), ElementsAre(3));
  const auto attic = plane->status(now).proxy.instances.at(0).interfaces.at(2);
  EXPECT_EQ(attic.state, proxy::InterfaceState::kRefused);
  EXPECT_THAT(attic.why, HasSubstr("No privilege"));
}

TEST_F(PlaneTest, AnUpstreamWhoseQueriesCannotBeHeardStillServes) {
  machine.no_links = {2};
  start();
  join();
  EXPECT_TRUE(machine.joined.contains({2, ip(kGroup6)}));
  EXPECT_THAT(plane->status(now).troubles, ElementsAre(HasSubstr("No privilege")));
}

TEST_F(PlaneTest, OneFamilyWithoutATableLeavesTheOther) {
  machine.no_tables = {Family::kIp6};
  start();
  machine.hear(3, report("192.0.3.9", RecordType::kAllowNewSources, "232.1.1.1", {ip("198.51.100.1")}), now);
  EXPECT_THAT(outputs("232.1.1.1", "198.51.100.1"), ElementsAre(3));
  EXPECT_THAT(plane->status(now).troubles, Contains("No table."));
}

TEST_F(PlaneTest, ARouteThatTheKernelRefusesIsToldAndCountedUntilItStands) {
  start();
  machine.refuse_routes = true;
  join();
  EXPECT_THAT(plane->status(now).troubles, Contains("No room for a route."));
  EXPECT_THAT(plane->status(now).drops, Contains(Drop{"route_refused", 1}));
  machine.refuse_routes = false;
  join(4, "fe80::77");
  EXPECT_THAT(plane->status(now).troubles, IsEmpty());
}

TEST_F(PlaneTest, AMembershipThatTheKernelRefusesIsTriedAgain) {
  start();
  machine.refuse_joins = {linux::UpstreamMemberships::Outcome::kRefused, "No buffers."};
  join();
  EXPECT_THAT(plane->status(now).troubles, ElementsAre("No buffers."));
  machine.refuse_joins.reset();
  run(Plane::kRetry);
  EXPECT_TRUE(machine.joined.contains({2, ip(kGroup6)}));
  EXPECT_THAT(plane->status(now).troubles, IsEmpty());
}

TEST_F(PlaneTest, ARefusedMembershipThatIsLeftIsNotTriedAgain) {
  start(std::string(kTv) + "fast_leave = true\n");
  machine.refuse_joins = {linux::UpstreamMemberships::Outcome::kRefused, "No buffers."};
  join();
  leave();
  run(3s);
  machine.refuse_joins.reset();
  run(1min);
  EXPECT_THAT(machine.joined, IsEmpty());
}

constexpr const char* kWithTunnels =
    "[[multicast]]\nname = \"tv\"\nupstream = [\"wan\"]\ndownstream = [\"lan\"]\ntunnels = \"chosen\"\n";
constexpr const char* kOnlyTunnels =
    "[[multicast]]\nname = \"tv\"\nupstream = [\"wan\"]\ntunnels = \"chosen\"\n";

TEST_F(PlaneTest, ATunnelsFlowIsJoinedForTheProxyAndReceivedOnItsUpstream) {
  start(kWithTunnels);
  const FlowKey flow{ip(kSource6), ip(kGroup6), 5004};
  plane->on_channels({{flow.group, flow.source}}, now);
  EXPECT_EQ(plane->upstream_for(flow), std::optional(2U));
  plane->on_tunnel(PeerId{7}, {flow}, now);
  EXPECT_EQ(machine.joined.at({2, ip(kGroup6)}), (SourceFilter{FilterMode::kInclude, {ip(kSource6)}}));
  const auto groups = plane->status(now).proxy.instances.at(0).groups;
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].listeners.at(0).downstream, proxy::DownstreamId(PeerId{7}));
  plane->on_tunnel(PeerId{7}, {}, now);
  EXPECT_THAT(machine.joined, IsEmpty());
}

TEST_F(PlaneTest, TwoPortsOfAGroupAreOneMembershipOfATunnel) {
  start(kWithTunnels);
  const FlowKey first{ip(kSource6), ip(kGroup6), 5004}, second{ip("2001:db8::2"), ip(kGroup6), 5006};
  plane->on_channels(
      {{first.group, first.source}, {first.group, first.source}, {second.group, second.source}}, now);
  plane->on_tunnel(PeerId{7}, {first, second}, now);
  EXPECT_EQ(machine.joined.at({2, ip(kGroup6)}).sources.size(), 2U);
  plane->on_tunnel(PeerId{7}, {first}, now);
  EXPECT_THAT(machine.joined.at({2, ip(kGroup6)}).sources, ElementsAre(ip(kSource6)));
}

TEST_F(PlaneTest, WithoutAnInstanceForTunnelsTheirUpstreamIsNotItsMatter) {
  start();
  const FlowKey flow{ip(kSource6), ip(kGroup6), 5004};
  EXPECT_EQ(plane->upstream_for(flow), std::nullopt);
  plane->on_tunnel(PeerId{7}, {flow}, now);
  EXPECT_THAT(machine.joined, IsEmpty());
}

TEST_F(PlaneTest, AReloadLeavesAloneWhatDidNotChange) {
  start();
  join();
  (void)machine.news();
  plane->reload(
      settings_of(std::string(kTv) +
                  "[[multicast]]\nname = \"radio\"\nupstream = [\"wan2\"]\ndownstream = [\"lan2\"]\n"),
      now);
  EXPECT_THAT(machine.news(), IsEmpty());
  EXPECT_THAT(outputs(), ElementsAre(3));
  EXPECT_EQ(plane->status(now).proxy.instances.size(), 2U);
}

TEST_F(PlaneTest, AReloadGivesRoutersTheirNewTimersWithoutForgettingWhoListens) {
  start();
  join();
  plane->reload(settings_of(std::string(kTv) + "query_interval_s = 20\n"), now);
  EXPECT_THAT(outputs(), ElementsAre(3));
  EXPECT_EQ(plane->status(now).links.at(0).families.at(1).query_interval, 20s);
}

TEST_F(PlaneTest, AReloadThatLeavesOnlyTunnelsTakesTheUpstreamOutOfItsTables) {
  start(kWithTunnels);
  for (const Family family : {Family::kIp4, Family::kIp6}) {
    EXPECT_THAT(machine.routed[family], testing::Contains(2U));
  }
  plane->reload(settings_of(kOnlyTunnels), now);
  for (const Family family : {Family::kIp4, Family::kIp6}) {
    EXPECT_THAT(machine.routed[family], IsEmpty());
  }
  EXPECT_TRUE(machine.links.contains(2)) << "the provider's queries are still to be heard";
  plane->reload(settings_of(kWithTunnels), now);
  for (const Family family : {Family::kIp4, Family::kIp6}) {
    EXPECT_THAT(machine.routed[family], testing::Contains(2U));
  }
}

TEST_F(PlaneTest, AnInstanceThatIsTakenOutGivesEverythingBack) {
  start();
  join();
  plane->reload(settings_of(""), now);
  EXPECT_THAT(machine.links, IsEmpty());
  EXPECT_THAT(machine.joined, IsEmpty());
  EXPECT_THAT(machine.table_readable, IsEmpty());
  EXPECT_THAT(machine.routes, IsEmpty());
}

TEST_F(PlaneTest, ClosingLeavesTheProviderBeforeTheRoutesGo) {
  start();
  join();
  (void)machine.news();
  plane->close(now);
  const auto done = machine.news();
  ASSERT_FALSE(done.empty());
  EXPECT_EQ(done.front(), "join 2 ff3e::8000:1 INCLUDE {}");
  EXPECT_THAT(machine.routes, IsEmpty());
  EXPECT_THAT(machine.links, IsEmpty());
  EXPECT_EQ(machine.wake, kNever);
  plane->close(now);
  EXPECT_THAT(machine.news(), IsEmpty());
}

TEST_F(PlaneTest, StatusBringsTheKernelsCountersAndTheLinksLosses) {
  start();
  join();
  machine.counted[{ip(kGroup6), ip(kSource6)}] = {.packets = 1000, .bytes = 1'316'000, .wrong_interface = 2};
  const auto status = plane->status(now);
  const auto& routes = status.proxy.instances.at(0).routes;
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].traffic.packets, 1000U);
  EXPECT_EQ(routes[0].traffic.wrong_interface, 2U);
  EXPECT_THAT(status.drops, Contains(Drop{"link_overflow", 6}));  // three on each downstream
  EXPECT_EQ(status.links.size(), 2U);
}

}  // namespace
}  // namespace hearthcast::multicast
