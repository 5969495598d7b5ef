#include "appliance/app/live_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/linux/multicast_socket.hpp"

namespace hearthcast::app {
namespace {

using namespace std::chrono_literals;
using State = api::ChannelLive::State;

const FlowKey kNews{std::nullopt, *IpAddress::parse("239.1.2.3"), 5004};

struct LiveStateTest : testing::Test {
  LiveStateTest() {
    news = catalogue.apply({.flow = kNews, .rtp = false, .name = "News", .attributes = {}})->id;
  }
  access::Access access() const {
    return {std::make_shared<const channels::Catalogue>(catalogue),
            std::make_shared<const access::DeviceList>()};
  }
  FlowStatus flow(bool signal, Duration age) const {
    return {.key = kNews,
            .id = FlowId{4},
            .started = now - age,
            .signal = signal,
            .failure = "",
            .viewers = {PeerId{9}},
            .counters = {}};
  }
  State state_of(const FlowStatus& status) const {
    return live_state({}, {status}, nullptr, access(), {}, now).channels.at(news).state;
  }

  channels::Catalogue catalogue;
  ChannelId news;
  Time now{1h};
};

TEST_F(LiveStateTest, ChannelStatesFollowSignalAndPatience) {
  EXPECT_EQ(state_of(flow(true, 1h)), State::kLive);
  EXPECT_EQ(state_of(flow(false, 1s)), State::kJoining);
  EXPECT_EQ(state_of(flow(false, 6s)), State::kNoSignal);
  auto failed = flow(false, 1s);
  failed.failure = "no such interface";
  EXPECT_EQ(state_of(failed), State::kNoSignal);
}

TEST_F(LiveStateTest, CountersAreThoseOfTheFlow) {
  auto status = flow(true, 1min);
  status.counters.packets = 1000;
  status.counters.bits_per_second = 8'000'000;
  status.counters.continuity_errors = 2;
  status.counters.kernel_drops = 3;
  const auto live = live_state({}, {status}, nullptr, access(), {}, now).channels.at(news);
  EXPECT_EQ(live.packets, 1000U);
  EXPECT_EQ(live.bitrate_bps, 8'000'000U);
  EXPECT_EQ(live.continuity_errors, 2U);
  EXPECT_EQ(live.kernel_drops, 3U);
  EXPECT_EQ(live.viewers, 1U);
}

TEST_F(LiveStateTest, AFlowWhoseChannelIsGoneIsNotShown) {
  auto other = flow(true, 1s);
  other.key.port = 9;
  EXPECT_TRUE(live_state({}, {other}, nullptr, access(), {}, now).channels.empty());
}

TEST_F(LiveStateTest, AViewerHasItsDevicesPathAndItsOwnCounters) {
  const DeviceStatus device{.device = DeviceId{3},
                            .connected = true,
                            .path = Endpoint::parse("203.0.113.1:40000"),
                            .path_type = nat::CandidateType::kPeerReflexive,
                            .round_trip = 20ms,
                            .path_mtu = 1428,
                            .peer = PeerId{9},
                            .since = now - 10s,
                            .last_seen = std::nullopt,
                            .watching = {{kNews, now - 5s}}};
  forward::Statistics statistics;
  statistics.viewers.push_back({.flow = FlowId{4}, .peer = PeerId{8}, .packets = 1, .bytes = 2, .drops = 3});
  statistics.viewers.push_back({.flow = FlowId{4},
                                .peer = PeerId{9},
                                .packets = 70,
                                .bytes = 80,
                                .drops = 5,
                                .form = tunnel::MediaForm::kCompact});
  EXPECT_EQ(live_state({device}, {}, nullptr, access(), {}, now).devices.at(DeviceId{3}).encapsulation,
            "gre");
  statistics.viewers.back().repair = {
      .nacks = 2, .asked = 9, .sent = 6, .octets = 6000, .gone = 1, .refused = 2};
  const auto live = live_state({device}, {flow(true, 1min)}, &statistics, access(), {}, now);
  ASSERT_EQ(live.viewers.size(), 1U);
  EXPECT_EQ(live.viewers[0].channel, news);
  EXPECT_EQ(live.viewers[0].since, now - 5s);
  EXPECT_EQ(live.viewers[0].packets, 70U);
  EXPECT_EQ(live.viewers[0].dropped, 5U);
  EXPECT_EQ(live.viewers[0].asked_again, 9U);
  EXPECT_EQ(live.viewers[0].sent_again, 6U);
  EXPECT_EQ(live.viewers[0].not_sent_again, 3U);
  EXPECT_EQ(live.viewers[0].path, api::PathKind::kDirect);
  EXPECT_EQ(live.viewers[0].form, "compact");
  EXPECT_TRUE(live.devices.at(DeviceId{3}).connected);
  EXPECT_EQ(live.devices.at(DeviceId{3}).path_mtu, 1428);
  EXPECT_EQ(live.devices.at(DeviceId{3}).form, "compact");
  EXPECT_EQ(live.devices.at(DeviceId{3}).path_reason, "");
  auto relayed = device;
  relayed.relayed_because = "both NATs";
  EXPECT_EQ(live_state({relayed}, {}, nullptr, access(), {}, now).devices.at(DeviceId{3}).path_reason, "")
      << "the device is late: its path is direct by now";
  relayed.path_type = nat::CandidateType::kRelayed;
  EXPECT_EQ(live_state({relayed}, {}, nullptr, access(), {}, now).devices.at(DeviceId{3}).path_reason,
            "both NATs");
  statistics.viewers[1].packets = 0;
  const auto before = live_state({device}, {flow(true, 1min)}, &statistics, access(), {}, now);
  EXPECT_EQ(before.viewers[0].form, "") << "nothing has travelled";
  EXPECT_EQ(before.devices.at(DeviceId{3}).form, "");
}

TEST_F(LiveStateTest, ADeviceThatWasNeverSeenIsAbsentAndOneThatLeftIsKnown) {
  DeviceStatus device{.device = DeviceId{3},
                      .connected = false,
                      .path = {},
                      .path_type = {},
                      .round_trip = {},
                      .peer = {},
                      .since = {},
                      .last_seen = {},
                      .watching = {}};
  EXPECT_TRUE(live_state({device}, {}, nullptr, access(), {}, now).devices.empty());
  device.last_seen = now - 1h;
  EXPECT_EQ(live_state({device}, {}, nullptr, access(), {}, now).devices.at(DeviceId{3}).last_seen, now - 1h);
}

TEST_F(LiveStateTest, PathKinds) {
  const std::vector<IpAddress> own{*IpAddress::parse("2001:db8:1::2"), *IpAddress::parse("192.168.1.2")};
  const auto prflx = nat::CandidateType::kPeerReflexive;
  EXPECT_EQ(path_kind(*Endpoint::parse("192.168.1.7:1"), prflx, own), api::PathKind::kLan);
  EXPECT_EQ(path_kind(*Endpoint::parse("[2001:db8:1::7]:1"), prflx, own), api::PathKind::kLan);
  EXPECT_EQ(path_kind(*Endpoint::parse("[2001:db8:2::7]:1"), prflx, own), api::PathKind::kDirect);
  EXPECT_EQ(path_kind(*Endpoint::parse("203.0.113.9:1"), prflx, own), api::PathKind::kDirect);
  EXPECT_EQ(path_kind(*Endpoint::parse("203.0.113.9:1"), nat::CandidateType::kRelayed, own),
            api::PathKind::kRelayed);
}

TEST_F(LiveStateTest, ReachabilityInWords) {
  const auto mapped = Endpoint::parse("198.51.100.1:4755");
  EXPECT_EQ(reachability({.rendezvous_connected = true, .mapped = mapped}).state,
            api::ReachabilityLive::State::kAnywhere);
  EXPECT_EQ(reachability({.mapped = mapped}).state, api::ReachabilityLive::State::kLanOnly);
  EXPECT_EQ(reachability({.own = {*IpAddress::parse("2001:db8::1")}}).state,
            api::ReachabilityLive::State::kAnywhere);
  EXPECT_EQ(reachability({.own = {*IpAddress::parse("fd00::1")}}).state,
            api::ReachabilityLive::State::kLanOnly);
}

TEST_F(LiveStateTest, ThePortToForwardIsTheOneInUse) {
  EXPECT_THAT(reachability({.port = 6001}).text, testing::HasSubstr("UDP port 6001 "));
  EXPECT_THAT(reachability({.own = {*IpAddress::parse("2001:db8::1")}, .port = 6001}).text,
              testing::HasSubstr("UDP port 6001."));
}

TEST_F(LiveStateTest, AnAddressOfTheSettingsIsReachFromAnywhere) {
  const auto reach =
      reachability({.public_address = tunnel::ReachAddress::parse("home.example.org:7000"), .port = 6001});
  EXPECT_EQ(reach.state, api::ReachabilityLive::State::kAnywhere);
  EXPECT_THAT(reach.text, testing::HasSubstr("home.example.org:7000"));
  EXPECT_THAT(reach.text, testing::HasSubstr("UDP port 6001 "));
}

TEST_F(LiveStateTest, APortAtTheRouterIsReachFromAnywhere) {
  const auto reach = reachability({.forwarded = Endpoint::parse("198.51.100.2:4755")});
  EXPECT_EQ(reach.state, api::ReachabilityLive::State::kAnywhere);
  EXPECT_NE(reach.text.find("198.51.100.2:4755"), std::string::npos) << reach.text;
}

TEST_F(LiveStateTest, ARelayThatIsNeededIsReachFromAnywhereAndSaysWhy) {
  const RelayWay way{.needed = true,
                     .reason = "the home network blocks UDP",
                     .server = Endpoint::parse("203.0.113.11:443"),
                     .transport = wire::TurnTransport::kTls};
  const auto reach = reachability({.rendezvous_connected = true, .relay = way});
  EXPECT_EQ(reach.state, api::ReachabilityLive::State::kAnywhere);
  EXPECT_NE(reach.text.find("relayed: the home network blocks UDP"), std::string::npos) << reach.text;
  EXPECT_NE(reach.text.find("203.0.113.11:443, over tls"), std::string::npos) << reach.text;
  EXPECT_EQ(reachability({.relay = way}).state, api::ReachabilityLive::State::kLanOnly)
      << "nobody introduces devices";
}

TEST_F(LiveStateTest, ARelayThatIsNeededAndNotThereSaysWhyNot) {
  const auto reach = reachability(
      {.rendezvous_connected = true, .relay = {.needed = true, .trouble = "the rendezvous offers no relay"}});
  EXPECT_EQ(reach.state, api::ReachabilityLive::State::kLanOnly);
  EXPECT_NE(reach.text.find("UDP does not pass"), std::string::npos) << reach.text;
  EXPECT_NE(reach.text.find("the rendezvous offers no relay"), std::string::npos) << reach.text;
}

TEST_F(LiveStateTest, TheTunnelPortTellsEveryReasonOfADropByName) {
  forward::Statistics statistics;
  statistics.port = {.datagrams = 100,
                     .stray = 1,
                     .unvouched = 2,
                     .rejected = 3,
                     .malformed = 4,
                     .kernel_drops = 5,
                     .over_budget = 6,
                     .crowded = 7,
                     .queue_full = 8,
                     .send_dropped = 9};
  const auto port =
      tunnel_port(&statistics, {.stun_unknown = 10, .handshake_unproven = 11, .handshake_too_many = 12});
  EXPECT_EQ(port.datagrams, 100U);
  std::uint64_t expected = 0;
  for (const auto& drop : port.drops) {
    EXPECT_EQ(drop.count, ++expected) << drop.reason;
  }
  EXPECT_EQ(expected, 12U);
  EXPECT_EQ(port.drops.front().reason, "stray");
  EXPECT_EQ(tunnel_port(nullptr, {}).drops.size(), port.drops.size());  // before the first statistics
}

}  // namespace
}  // namespace hearthcast::app
