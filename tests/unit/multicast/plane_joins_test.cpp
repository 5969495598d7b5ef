// What the provider is told of a join in the same turn, on upstreams of instances and on the usual one of the
// tunnels.
#include <gmock/gmock.h>

#include "tests/unit/multicast/plane_fixture.hpp"

namespace hearthcast::multicast {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr unsigned kWan = 2, kLan = 3, kOther = 4;
constexpr const char* kGroup4 = "232.1.1.1";
constexpr const char* kSource4 = "198.51.100.1";
const char* const kWithTunnels =
    "[[multicast]]\nname = \"tv\"\nupstream = [\"wan\"]\ndownstream = [\"lan\"]\ntunnels = \"chosen\"\n";

FlowKey channel6(std::uint16_t port = 5004) { return {ip(kSource6), ip(kGroup6), port}; }
FlowKey channel4() { return {ip(kSource4), ip(kGroup4), 5004}; }
FlowKey any4() { return {std::nullopt, ip("239.1.1.1"), 5004}; }

Buffer query(const char* from, int version) {
  const IpAddress source = ip(from);
  return wire::encode_membership_packet(
      {.source = source,
       .destination = source.is_ip4() ? wire::kAllHosts4 : wire::kAllNodes6,
       .message = wire::MembershipQuery{.version = version,
                                        .max_response = 10s,
                                        .group = source.is_ip4() ? IpAddress() : ip("::"),
                                        .suppress = false,
                                        .robustness = 2,
                                        .query_interval = 125s,
                                        .sources = {}}});
}

class PlaneJoinsTest : public PlaneTest {
 protected:
  // As the tunnels' service does it.
  void start_with_usual(const std::string& toml = "", unsigned usual = kWan) {
    start(toml);
    plane->on_usual_upstream(usual, now);
    (void)told(usual);
  }
  // What was sent on the link since it was last asked, as text: source, destination, message.
  std::vector<std::string> told(unsigned index = kWan) {
    std::vector<std::string> texts;
    if (!machine.links.contains(index)) {
      return texts;
    }
    for (const Buffer& packet : std::exchange(machine.links.at(index).sent, {})) {
      const auto decoded = wire::decode_membership_packet(packet);  // checks hop limit, Router Alert, source
      EXPECT_TRUE(decoded);
      std::string text = decoded->source.to_string() + ">" + decoded->destination.to_string();
      if (const auto* report = std::get_if<wire::MembershipReport>(&decoded->message)) {
        for (const wire::GroupRecord& record : report->records) {
          text += record.type == RecordType::kAllowNewSources ? " ALLOW "
                  : record.type == RecordType::kChangeToExclude
                      ? " TO_EX "
                      : " " + std::to_string(static_cast<int>(record.type)) + " ";
          text += record.group.to_string();
          for (const IpAddress& source : record.sources) {
            text += " " + source.to_string();
          }
        }
      } else if (const auto* old = std::get_if<wire::OldReport>(&decoded->message)) {
        text += " v" + std::to_string(old->version) + " " + old->group.to_string();
      } else {
        text += " other";
      }
      texts.push_back(text);
    }
    return texts;
  }
};

constexpr const char* kAllow6 = "fe80::2>ff02::16 ALLOW ff3e::8000:1 2001:db8::1";
constexpr const char* kAllow4 = "192.0.2.5>224.0.0.22 ALLOW 232.1.1.1 198.51.100.1";

TEST_F(PlaneJoinsTest, AJoinOfAListenerAtHomeIsToldInTheSameTurn) {
  start();
  join();
  EXPECT_THAT(told(), ElementsAre(kAllow6));
  machine.hear(kLan, report("192.0.3.9", RecordType::kChangeToExclude, "239.1.1.1", {}), now);
  EXPECT_THAT(told(), ElementsAre("192.0.2.5>224.0.0.22 TO_EX 239.1.1.1"));
  join(kOther, "fe80::77");
  EXPECT_THAT(told(), IsEmpty()) << "a second listener changes nothing upstream";
}

TEST_F(PlaneJoinsTest, OneMoreSourceIsToldAloneAndALeaveIsTheKernelsMatter) {
  start(std::string(kTv) + "fast_leave = true\n");
  run(20s);
  join();
  (void)told();
  machine.hear(kLan, report("fe80::99", RecordType::kAllowNewSources, kGroup6, {ip("2001:db8::2")}), now);
  EXPECT_THAT(told(), ElementsAre("fe80::2>ff02::16 ALLOW ff3e::8000:1 2001:db8::2"));
  leave();
  run(30s);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PlaneJoinsTest, WhatIsNotJoinedIsNotTold) {
  start();
  machine.refuse_joins = {linux::UpstreamMemberships::Outcome::kRefused, "No buffers."};
  join();
  EXPECT_THAT(told(), IsEmpty());
  machine.refuse_joins.reset();
  run(Plane::kRetry);
  EXPECT_THAT(told(), ElementsAre(kAllow6)) << "the retry joins it";
}

TEST_F(PlaneJoinsTest, ReportsAgainAreNoJoins) {
  start();
  join();
  (void)told();
  for (int minute = 0; minute < 6; ++minute) {
    run(60s);
    join();
  }
  EXPECT_GT(machine.reported_again, 0);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(PlaneJoinsTest, ATunnelsFlowWithoutAnyInstanceIsToldOnTheUsualUpstream) {
  start_with_usual();
  EXPECT_THAT(machine.links, SizeIs(1));
  EXPECT_TRUE(machine.links.at(kWan).own_groups_only);
  plane->on_flow_joined(channel6(), kWan, now);
  plane->on_flow_joined(channel4(), kWan, now);
  plane->on_flow_joined(any4(), kWan, now);
  EXPECT_THAT(told(), ElementsAre(kAllow6, kAllow4, "192.0.2.5>224.0.0.22 TO_EX 239.1.1.1"));
  EXPECT_THAT(plane->status(now).troubles, IsEmpty());
  EXPECT_EQ(machine.wake, kNever);
}

TEST_F(PlaneJoinsTest, EachJoinIsToldOnceThoughItIsJoinedForTheTunnelAndForItsFlow) {
  start_with_usual(kWithTunnels);
  EXPECT_FALSE(machine.links.at(kWan).own_groups_only) << "the instance's link serves";
  plane->on_channels({{ip(kGroup6), ip(kSource6)}, {ip("239.1.1.1"), std::nullopt}}, now);
  plane->on_tunnel(PeerId{7}, {channel6(), any4()}, now);
  plane->on_flow_joined(channel6(), kWan, now);
  plane->on_flow_joined(any4(), kWan, now);
  EXPECT_THAT(told(), testing::UnorderedElementsAre(kAllow6, "192.0.2.5>224.0.0.22 TO_EX 239.1.1.1"));
}

TEST_F(PlaneJoinsTest, AFlowBesideAnInstanceTellsOnlyWhatIsMore) {
  start_with_usual(kTv);
  join();
  (void)told();
  plane->on_flow_joined(channel6(), kWan, now);
  EXPECT_THAT(told(), IsEmpty()) << "a set-top box at home watches it";
  plane->on_flow_joined({ip("2001:db8::2"), ip(kGroup6), 5004}, kWan, now);
  EXPECT_THAT(told(), ElementsAre("fe80::2>ff02::16 ALLOW ff3e::8000:1 2001:db8::2"));
  plane->on_flow_joined({std::nullopt, ip(kGroup6), 5004}, kWan, now);
  EXPECT_THAT(told(), ElementsAre("fe80::2>ff02::16 TO_EX ff3e::8000:1"));
}

TEST_F(PlaneJoinsTest, AnOlderQuerierIsToldInItsVersionUntilItHasBeenSilentLongEnough) {
  start_with_usual();
  machine.hear(kWan, query("192.0.2.1", 2), now);
  machine.hear(kWan, query("fe80::1", 1), now);
  plane->on_flow_joined(channel4(), kWan, now);
  plane->on_flow_joined(channel6(), kWan, now);
  EXPECT_THAT(told(),
              ElementsAre("192.0.2.5>232.1.1.1 v2 232.1.1.1", "fe80::2>ff3e::8000:1 v1 ff3e::8000:1"));
  now += UpstreamLink::kOlderQuerierPresent;
  plane->on_flow_joined(channel4(), kWan, now);
  plane->on_flow_joined(channel6(), kWan, now);
  EXPECT_THAT(told(), ElementsAre(kAllow4, kAllow6));
}

TEST_F(PlaneJoinsTest, WithoutAnAddressThatMaySpeakTheKernelIsLeftToIt) {
  start_with_usual();
  interfaces[0].addresses[1].tentative = true;
  plane->on_interfaces(interfaces, now);
  plane->on_flow_joined(channel6(), kWan, now);
  EXPECT_THAT(told(), IsEmpty());
  interfaces[0].addresses[1].tentative = false;
  interfaces[0].running = false;
  plane->on_interfaces(interfaces, now);
  plane->on_flow_joined(channel6(), kWan, now);
  EXPECT_THAT(told(), IsEmpty()) << "its cable is out";
  interfaces[0].running = true;
  plane->on_interfaces(interfaces, now);
  plane->on_flow_joined(channel6(), kWan, now);
  EXPECT_THAT(told(), ElementsAre(kAllow6));
}

TEST_F(PlaneJoinsTest, WithoutPrivilegeNothingIsToldAndItIsLoggedOnce) {
  machine.no_links = {kWan};
  start_with_usual();
  plane->on_flow_joined(channel6(), kWan, now);
  plane->on_usual_upstream(kWan, now);
  EXPECT_THAT(machine.links, IsEmpty());
  EXPECT_THAT(plane->status(now).troubles, IsEmpty()) << "nothing that works otherwise is missing";
  const auto about = AllOf(HasSubstr("joins_told_by_kernel"), HasSubstr("No privilege"));
  EXPECT_THAT(log.lines, Contains(about).Times(1));
  machine.no_links.clear();
  plane->on_usual_upstream(kWan, now);  // there is a helper now
  plane->on_flow_joined(channel6(), kWan, now);
  EXPECT_THAT(told(), ElementsAre(kAllow6));
}

TEST_F(PlaneJoinsTest, TheUsualUpstreamsLinkFollowsIt) {
  start_with_usual();
  plane->on_usual_upstream(kOther, now);
  EXPECT_FALSE(machine.links.contains(kWan));
  plane->on_flow_joined(channel6(), kWan, now);  // no upstream of anybody's
  EXPECT_THAT(told(kOther), IsEmpty());
  plane->on_flow_joined(channel6(), kOther, now);
  EXPECT_THAT(told(kOther), ElementsAre("fe80::4>ff02::16 ALLOW ff3e::8000:1 2001:db8::1"));
  plane->on_usual_upstream(std::nullopt, now);
  EXPECT_THAT(machine.links, IsEmpty());
  plane->on_usual_upstream(99, now);  // not there
  interfaces[0].multicast = false;
  plane->on_interfaces(interfaces, now);
  plane->on_usual_upstream(kWan, now);
  interfaces[0].multicast = interfaces[0].loopback = true;
  plane->on_interfaces(interfaces, now);
  plane->on_usual_upstream(kWan, now);
  EXPECT_THAT(machine.links, IsEmpty());
}

TEST_F(PlaneJoinsTest, TheLinkIsTheInstancesWhileThereIsOne) {
  start_with_usual();
  plane->reload(settings_of(kTv), now);
  EXPECT_FALSE(machine.links.at(kWan).own_groups_only);
  plane->on_flow_joined(channel6(), kWan, now);
  EXPECT_THAT(told(), ElementsAre(kAllow6));
  plane->reload(settings_of(""), now);
  EXPECT_TRUE(machine.links.at(kWan).own_groups_only);
  plane->on_flow_joined(channel6(), kWan, now);
  EXPECT_THAT(told(), ElementsAre(kAllow6));
  plane->close(now);
  EXPECT_THAT(machine.links, IsEmpty());
  plane->on_usual_upstream(kWan, now);
  EXPECT_THAT(machine.links, IsEmpty());
}

TEST_F(PlaneJoinsTest, AStormIsToldInPartAndNeverMoreThanOnePacketAJoin) {
  start_with_usual();
  const auto storm = [&](int joins) {
    for (int i = 0; i < joins; ++i) {
      plane->on_flow_joined({ip(kSource4), ip(("232.1.2." + std::to_string(i)).c_str()), 5004}, kWan, now);
    }
    return told().size();
  };
  EXPECT_EQ(storm(10), 10U);
  EXPECT_EQ(storm(200), UpstreamLink::kJoinsAtOnce - 10U);
  now += 1s;
  EXPECT_EQ(storm(200), std::size_t{UpstreamLink::kJoinsAtOnce});
  now += 250ms;
  EXPECT_EQ(storm(200), std::size_t{UpstreamLink::kJoinsPerSecond / 4});
}

}  // namespace
}  // namespace hearthcast::multicast
