#include "tunnelmgr/nat/port_mapping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/nat/fake_router.hpp"

namespace hearthcast::nat {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using PortMappingTest = PortMappingWorld;

TEST_F(PortMappingTest, QuietWithoutAGateway) {
  EXPECT_EQ(mapping.next_deadline(), kNever);
  perform(mapping.on_gateway(std::nullopt, now));
  perform(mapping.on_deadline(now));
  perform(mapping.stop());
  EXPECT_EQ(datagrams, 0);
  EXPECT_EQ(state(), MappingState::kNoGateway);
}

TEST_F(PortMappingTest, EachWayLeadsToTheSamePort) {
  struct Row {
    MappingWay way;
    Duration within;  // silent ways before it take their time
  };
  for (const auto& [way, within] :
       {Row{MappingWay::kPcp, 0s}, Row{MappingWay::kNatPmp, 0s}, Row{MappingWay::kUpnp, 20s}}) {
    router = FakeRouter{.ways = {way}, .started = now};
    mapping = PortMapping(random, 4755);
    begin();
    pass(within);
    ASSERT_EQ(state(), MappingState::kMapped) << to_string(way);
    EXPECT_EQ(mapping.status().way, way);
    EXPECT_EQ(mapping.status().external, (Endpoint{router.outside, 4755}));
    EXPECT_THAT(mapping.status().text, HasSubstr(std::string(to_string(way))));
    EXPECT_TRUE(is_open());
  }
}

TEST_F(PortMappingTest, StaysOpenForThirtyDaysInEachWay) {
  for (const MappingWay way : {MappingWay::kPcp, MappingWay::kNatPmp, MappingWay::kUpnp}) {
    router = FakeRouter{.ways = {way}, .started = now};
    mapping = PortMapping(random, 4755);
    datagrams = 0;
    begin();
    pass(20s);
    moves = 0;
    for (int hour = 0; hour < 30 * 24 * 4; ++hour) {
      pass(15min);
      ASSERT_TRUE(is_open()) << to_string(way) << " after quarter " << hour;
    }
    EXPECT_EQ(moves, 0) << to_string(way);
    EXPECT_LT(router.asked.size(), 30 * 24 * 6 + 10U) << "renewed at half a lease of 20 minutes, not earlier";
    EXPECT_GT(router.asked.size(), 30 * 24 * 5 - 10U);
  }
}

TEST_F(PortMappingTest, APortThatTheRouterChoseIsKept) {
  router.external_port = 40000;
  begin();
  EXPECT_EQ(mapping.status().external, (Endpoint{router.outside, 40000}));
  router.external_port = 0;  // from now on as asked for
  pass(1h);
  EXPECT_EQ(mapping.status().external, (Endpoint{router.outside, 40000}));
  EXPECT_EQ(moves, 1);
}

TEST_F(PortMappingTest, AShortLeaseIsRenewedInTime) {
  router.longest = 120;
  begin();
  for (int i = 0; i < 100; ++i) {
    pass(7s);
    ASSERT_TRUE(is_open()) << i;
  }
  EXPECT_LT(router.asked.size(), 15U);
}

TEST_F(PortMappingTest, AVeryLongLeaseIsNotBelieved) {
  router.longest = 0xffffffff;
  MappingTiming forever;
  forever.lease = std::chrono::seconds{0x7fffffff};
  mapping = PortMapping(random, 4755, forever);
  begin();
  EXPECT_LE(mapping.next_deadline(), now + 1h);
}

TEST_F(PortMappingTest, ANewAddressOutsideIsFoundAtTheNextRenewal) {
  for (const MappingWay way : {MappingWay::kPcp, MappingWay::kNatPmp, MappingWay::kUpnp}) {
    router = FakeRouter{.ways = {way}, .started = now};
    mapping = PortMapping(random, 4755);
    begin();
    pass(20s);
    moves = 0;
    router.outside = *IpAddress::parse("198.51.100.77");
    pass(13min);
    EXPECT_EQ(mapping.status().external, (Endpoint{router.outside, 4755})) << to_string(way);
    EXPECT_EQ(moves, 1) << to_string(way);
  }
}

TEST_F(PortMappingTest, GoesThroughAllWaysAndSaysSo) {
  router.ways = {};
  begin();
  EXPECT_EQ(state(), MappingState::kAsking);
  pass(25s);
  EXPECT_EQ(state(), MappingState::kRefused);
  EXPECT_THAT(mapping.status().text, HasSubstr("neither PCP nor NAT-PMP nor UPnP"));
  EXPECT_EQ(datagrams, 2 + 4);
  EXPECT_FALSE(mapping.status().external);
}

TEST_F(PortMappingTest, TriesAgainEverMoreRarely) {
  router.ways = {};
  begin();
  pass(24h);
  EXPECT_LT(datagrams, 40 * 6);
  EXPECT_GT(datagrams, 20 * 6);
  router.ways = {MappingWay::kUpnp};
  pass(75min);
  EXPECT_EQ(mapping.status().way, MappingWay::kUpnp);
}

TEST_F(PortMappingTest, ARefusalIsToldAndTheNextWayTried) {
  router.ways = {MappingWay::kPcp, MappingWay::kNatPmp};
  router.pcp_result = wire::PcpResult::kNotAuthorized;
  begin();
  EXPECT_EQ(mapping.status().way, MappingWay::kNatPmp);

  router.nat_pmp_result = wire::NatPmpResult::kRefused;
  router.upnp_error = "The router refuses by UPnP: Action not authorized.";
  mapping = PortMapping(random, 4755);
  begin();
  EXPECT_EQ(state(), MappingState::kRefused);
  EXPECT_THAT(mapping.status().text, HasSubstr("refuses by PCP: it allows no such mappings"));
  EXPECT_THAT(mapping.status().text, HasSubstr("refuses by NAT-PMP: it allows no such mappings"));
  EXPECT_THAT(mapping.status().text, HasSubstr("by UPnP: Action not authorized"));
}

TEST_F(PortMappingTest, ARenewalThatIsRefusedEndsTheMapping) {
  begin();
  ASSERT_EQ(state(), MappingState::kMapped);
  router.pcp_result = wire::PcpResult::kNoResources;
  pass(13min);
  EXPECT_NE(state(), MappingState::kMapped);
  EXPECT_EQ(moves, 2);
}

TEST_F(PortMappingTest, AnAddressThatIsNotOutsideIsOfNoUse) {
  for (const char* const address : {"192.168.1.5", "100.64.3.2", "0.0.0.0", "169.254.1.1"}) {
    router = FakeRouter{.outside = *IpAddress::parse(address), .started = now};
    mapping = PortMapping(random, 4755);
    begin();
    EXPECT_EQ(state(), MappingState::kRefused) << address;
    EXPECT_THAT(mapping.status().text, HasSubstr("behind another router")) << address;
    EXPECT_TRUE(router.ports.empty()) << "given back";
  }
}

TEST_F(PortMappingTest, ASilentRouterIsAskedMoreOftenTowardsTheEnd) {
  begin();
  router.silent = true;
  const int before = datagrams;
  pass(19min);
  EXPECT_EQ(state(), MappingState::kMapped) << "until the lease ends";
  EXPECT_GE(datagrams - before, 3);
  pass(2min);
  EXPECT_NE(state(), MappingState::kMapped);
  router.silent = false;
  pass(10min);
  EXPECT_TRUE(is_open());
}

TEST_F(PortMappingTest, OneLostRenewalDoesNoHarm) {
  begin();
  router.silent = true;
  pass(13min);
  router.silent = false;
  pass(5min);
  EXPECT_TRUE(is_open());
  EXPECT_EQ(moves, 1);
}

TEST_F(PortMappingTest, ARestartThatIsAnnouncedIsMendedAtOnce) {
  for (const MappingWay way : {MappingWay::kPcp, MappingWay::kNatPmp, MappingWay::kUpnp}) {
    router = FakeRouter{.ways = {way}, .started = now - 1h};
    mapping = PortMapping(random, 4755);
    begin();
    pass(20s);
    ASSERT_TRUE(is_open());
    router.restart(now);
    ASSERT_FALSE(is_open());
    const Buffer announcement =
        way == MappingWay::kNatPmp
            ? encode_nat_pmp(
                  wire::NatPmpAnswer{wire::NatPmpResult::kSuccess, 0, router.outside, std::nullopt})
            : encode_pcp(wire::PcpAnswer{wire::PcpResult::kSuccess, 0, 0, std::nullopt});
    perform(mapping.on_announcement({router.inside, 5351}, announcement, now));
    pass(2s);
    EXPECT_TRUE(is_open()) << to_string(way);
    EXPECT_EQ(mapping.counters().restarts, 1U);
  }
}

TEST_F(PortMappingTest, AnAnnouncementOfTheSameRouterStartsNoStorm) {
  begin();
  for (int i = 0; i < 1000; ++i) {
    pass(1s);
    perform(mapping.on_announcement(
        {router.inside, 5351},
        encode_pcp(wire::PcpAnswer{wire::PcpResult::kSuccess, 0, router.epoch(now), std::nullopt}), now));
  }
  EXPECT_LT(datagrams, 5);
  EXPECT_EQ(mapping.counters().restarts, 0U);
}

TEST_F(PortMappingTest, ARouterThatRefusedIsAskedAgainWhenItHasRestarted) {
  router.ways = {};
  begin();
  pass(30s);
  ASSERT_EQ(state(), MappingState::kRefused);
  const auto announce = [&] {
    perform(mapping.on_announcement(
        {router.inside, 5351},
        encode_pcp(wire::PcpAnswer{wire::PcpResult::kSuccess, 0, router.epoch(now), std::nullopt}), now));
  };
  announce();
  router.restart(now);
  router.ways = {MappingWay::kPcp};
  announce();
  pass(1s);
  EXPECT_TRUE(is_open());
}

TEST_F(PortMappingTest, OnlyTheRouterIsBelieved) {
  router.silent = true;
  begin();
  const auto request = wire::decode_pcp_request(last);
  ASSERT_TRUE(request);
  const Buffer answer = encode_pcp(wire::PcpAnswer{
      wire::PcpResult::kSuccess, 600, 5, wire::PcpMapping{request->nonce, 4755, {router.outside, 4755}}});
  perform(mapping.on_datagram({*IpAddress::parse("192.168.0.66"), 5351}, answer, now));
  perform(mapping.on_datagram({router.inside, 5352}, answer, now));
  perform(mapping.on_announcement({*IpAddress::parse("192.168.0.66"), 5351}, answer, now));
  EXPECT_EQ(state(), MappingState::kAsking);
  EXPECT_EQ(mapping.counters().strangers, 3U);
  perform(mapping.on_datagram({router.inside, 5351}, answer, now));
  EXPECT_EQ(state(), MappingState::kMapped);
}

TEST_F(PortMappingTest, AnAnswerToAnotherQuestionCountsForNothing) {
  router.silent = true;
  begin();
  const auto nonce = wire::decode_pcp_request(last)->nonce;
  auto other = nonce;
  other[0] ^= 1;
  const auto give = [&](const wire::PcpNonce& n, std::uint16_t internal, std::uint32_t lifetime) {
    perform(mapping.on_datagram(
        {router.inside, 5351},
        encode_pcp(wire::PcpAnswer{wire::PcpResult::kSuccess, lifetime, 5,
                                   wire::PcpMapping{n, internal, {router.outside, 4755}}}),
        now));
  };
  give(other, 4755, 600);
  give(nonce, 4756, 600);
  give(nonce, 4755, 0);
  perform(mapping.on_datagram({router.inside, 5351}, Buffer{1, 2, 3}, now));
  perform(mapping.on_datagram({router.inside, 5351},
                              encode_nat_pmp(wire::NatPmpAnswer{wire::NatPmpResult::kSuccess, 5, std::nullopt,
                                                                wire::NatPmpMapping{4755, 4755, 600}}),
                              now));
  EXPECT_EQ(state(), MappingState::kAsking);
  EXPECT_EQ(mapping.counters().bad, 5U);
  give(nonce, 4755, 600);
  EXPECT_EQ(state(), MappingState::kMapped);
}

TEST_F(PortMappingTest, TheMappingIsGivenBackInEachWay) {
  for (const MappingWay way : {MappingWay::kPcp, MappingWay::kNatPmp, MappingWay::kUpnp}) {
    router = FakeRouter{.ways = {way}, .started = now};
    mapping = PortMapping(random, 4755);
    begin();
    pass(20s);
    ASSERT_TRUE(is_open());
    perform(mapping.stop());
    EXPECT_TRUE(router.ports.empty()) << to_string(way);
    EXPECT_EQ(mapping.next_deadline(), kNever);
    EXPECT_FALSE(mapping.status().external);
  }
}

TEST_F(PortMappingTest, WhoStopsWhileAskingGivesBackWhatMayHaveBeenOpened) {
  router.silent = true;
  begin();
  perform(mapping.stop());
  EXPECT_EQ(wire::decode_pcp_request(last)->lifetime, 0U);

  router.ways = {MappingWay::kUpnp};
  hold_upnp = true;
  begin();
  pass(20s);
  ASSERT_TRUE(held);
  perform(mapping.stop());
  EXPECT_EQ(upnp_removals, 1);
  perform(mapping.on_upnp({held->number, Endpoint{router.outside, 4755}, {}}, now));
  EXPECT_EQ(state(), MappingState::kNoGateway) << "an answer that comes too late";
}

TEST_F(PortMappingTest, AnotherRouterIsAskedAnew) {
  begin();
  ASSERT_EQ(moves, 1);
  perform(mapping.on_gateway(gateway, now));
  EXPECT_EQ(datagrams, 1) << "the same again changes nothing";
  router.inside = *IpAddress::parse("10.0.0.1");
  router.outside = *IpAddress::parse("203.0.113.9");
  perform(mapping.on_gateway(Gateway{router.inside, *IpAddress::parse("10.0.0.2")}, now));
  EXPECT_EQ(mapping.status().external, (Endpoint{router.outside, 4755}));
  perform(mapping.on_gateway(std::nullopt, now));
  EXPECT_EQ(state(), MappingState::kNoGateway);
  EXPECT_EQ(mapping.next_deadline(), kNever);
  EXPECT_EQ(moves, 4) << "mapped, lost, mapped, lost";
}

TEST_F(PortMappingTest, AnAnswerForTheFormerRouterIsNotTakenForTheNewOne) {
  router.ways = {MappingWay::kUpnp};
  hold_upnp = true;
  begin();
  pass(20s);
  ASSERT_TRUE(held);
  const MapByUpnp former = *held;
  perform(mapping.on_gateway(Gateway{*IpAddress::parse("10.0.0.1"), *IpAddress::parse("10.0.0.2")}, now));
  perform(mapping.on_upnp({former.number, Endpoint{router.outside, 4755}, {}}, now));
  EXPECT_EQ(state(), MappingState::kAsking);
  EXPECT_EQ(mapping.counters().bad, 1U);
}

TEST_F(PortMappingTest, UpnpIsAskedOnceHoweverLongItTakes) {
  router.ways = {MappingWay::kUpnp};
  hold_upnp = true;
  begin();
  pass(2h);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->number, 1U);
  perform(mapping.on_upnp(router.on_upnp(*held, now), now));
  EXPECT_EQ(mapping.status().way, MappingWay::kUpnp);
}

}  // namespace
}  // namespace hearthcast::nat
