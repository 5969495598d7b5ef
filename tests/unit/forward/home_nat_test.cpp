#include "appliance/forward/home_nat.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/tunnel/tcp_packets.hpp"
#include "tunnelmgr/tunnel/tcp_segment.hpp"
#include "tunnelmgr/tunnel/unicast.hpp"

namespace hearthcast::forward {
namespace {

namespace tcp = tunnel::tcp;
using namespace std::chrono_literals;

constexpr PeerId kOne{1};
constexpr PeerId kTwo{2};
const Time kNow(1h);

Endpoint at(const char* text) { return *Endpoint::parse(text); }

const Endpoint kDevice4 = at("10.203.0.3:50000");
const Endpoint kHost4 = at("192.168.1.50:80");
const Endpoint kBox4 = at("10.203.0.1:40001");
const Endpoint kDevice6 = at("[fd01:0:0:1::2]:50000");
const Endpoint kHost6 = at("[fd77::20]:80");
const Endpoint kBox6 = at("[fd01:0:0:1::1]:40001");

Buffer packet(const Endpoint& from, const Endpoint& to, std::uint8_t flags = tcp::kSyn) {
  return tcp::packet(from.address, to.address, from.port, to.port, flags);
}

struct Ends {
  Endpoint source;
  Endpoint destination;
  friend bool operator==(const Ends&, const Ends&) = default;
};

// Of a packet whose checksums are right.
Ends ends_of(Bytes ip_packet) {
  const auto unicast = tunnel::decode_unicast(ip_packet);  // checks the IPv4 header
  if (!unicast) {
    ADD_FAILURE() << "no packet any more";
    return {};
  }
  wire::Checksum sum;
  sum.add_pseudo_header(unicast->source, unicast->destination, 6,
                        static_cast<std::uint32_t>(unicast->payload.size()));
  sum.add(unicast->payload);
  EXPECT_EQ(sum.value(), 0);
  const auto ports = tunnel::decode_tcp_ports(unicast->payload);
  return {{unicast->source, ports->source}, {unicast->destination, ports->destination}};
}

TEST(HomeNat, AConnectionGoesToTheRelayAndItsAnswersComeFromTheHost) {
  for (const auto& [device, host, box] :
       {std::tuple(kDevice4, kHost4, kBox4), std::tuple(kDevice6, kHost6, kBox6)}) {
    HomeNat nat;
    Buffer call = packet(device, host);
    ASSERT_TRUE(nat.outward(kOne, device, host, box, call, kNow));
    const Ends outward = ends_of(call);
    EXPECT_EQ(outward.source.address, device.address);
    EXPECT_EQ(outward.destination, box);
    const auto* flow = nat.find(outward.source);
    ASSERT_NE(flow, nullptr);
    EXPECT_EQ(flow->target, host);
    EXPECT_EQ(flow->peer, kOne);
    Buffer answer = packet(box, outward.source, tcp::kSynAck);
    EXPECT_EQ(nat.backward(box, outward.source, answer), kOne);
    EXPECT_EQ(ends_of(answer), (Ends{host, device}));
    EXPECT_EQ(answer, packet(host, device, tcp::kSynAck)) << "octet for octet as the host would have said it";
  }
}

TEST(HomeNat, TheSegmentsOfAConnectionTakeTheSameWay) {
  HomeNat nat;
  Buffer first = packet(kDevice4, kHost4);
  Buffer again = packet(kDevice4, kHost4);
  Buffer later = packet(kDevice4, kHost4, tcp::kAck);
  ASSERT_TRUE(nat.outward(kOne, kDevice4, kHost4, kBox4, first, kNow));
  ASSERT_TRUE(nat.outward(kOne, kDevice4, kHost4, kBox4, again, kNow));
  ASSERT_TRUE(nat.outward(kOne, kDevice4, kHost4, kBox4, later, kNow));
  EXPECT_EQ(first, again);
  EXPECT_EQ(ends_of(later), ends_of(first));
  EXPECT_EQ(nat.size(), 1U);
}

TEST(HomeNat, OnePortOfTheDeviceMaySpeakToManyHosts) {
  HomeNat nat;
  std::set<Endpoint> stand_ins;
  for (const char* host : {"192.168.1.50:80", "192.168.1.50:81", "192.168.1.51:80"}) {
    Buffer call = packet(kDevice4, at(host));
    ASSERT_TRUE(nat.outward(kOne, kDevice4, at(host), kBox4, call, kNow));
    stand_ins.insert(ends_of(call).source);
  }
  EXPECT_EQ(stand_ins.size(), 3U);
}

TEST(HomeNat, WithoutASynNothingBegins) {
  HomeNat nat;
  for (const std::uint8_t flags :
       {tcp::kAck, tcp::kSynAck, std::uint8_t{0}, std::uint8_t{4}, std::uint8_t{1}}) {
    Buffer stray = packet(kDevice4, kHost4, flags);
    const Buffer before = stray;
    EXPECT_FALSE(nat.outward(kOne, kDevice4, kHost4, kBox4, stray, kNow));
    EXPECT_EQ(stray, before);
  }
  EXPECT_EQ(nat.size(), 0U);
}

TEST(HomeNat, WhatBelongsToNoFlowDoesNotComeBack) {
  HomeNat nat;
  Buffer call = packet(kDevice4, kHost4);
  ASSERT_TRUE(nat.outward(kOne, kDevice4, kHost4, kBox4, call, kNow));
  const Endpoint stand_in = ends_of(call).source;
  Buffer answer = packet(kBox4, stand_in, tcp::kSynAck);
  EXPECT_FALSE(
      nat.backward(kBox4, {stand_in.address, static_cast<std::uint16_t>(stand_in.port + 1)}, answer));
  EXPECT_FALSE(nat.backward(at("10.203.0.1:40002"), stand_in, answer)) << "another service of the box";
  EXPECT_FALSE(nat.backward(kBox4, kDevice4, answer)) << "the device's own port";
}

TEST(HomeNat, WhatIsNotOpenedOrHasClosedIsForgottenAfterAWhile) {
  HomeNat nat;
  Buffer call = packet(kDevice4, kHost4);
  ASSERT_TRUE(nat.outward(kOne, kDevice4, kHost4, kBox4, call, kNow));
  const Endpoint stand_in = ends_of(call).source;
  nat.on_tick(kNow + HomeNat::kLinger - 1ms);
  EXPECT_EQ(nat.size(), 1U);
  nat.opened(stand_in);
  nat.on_tick(kNow + 24h);
  EXPECT_EQ(nat.size(), 1U) << "a connection may be silent for long";
  nat.closed(stand_in, kNow + 24h);
  Buffer last = packet(kBox4, stand_in, tcp::kAck);
  EXPECT_TRUE(nat.backward(kBox4, stand_in, last)) << "its last segments";
  nat.on_tick(kNow + 24h + HomeNat::kLinger);
  EXPECT_EQ(nat.size(), 0U);
  nat.opened(stand_in);  // unknown by now: nothing
  nat.closed(stand_in, kNow);
}

TEST(HomeNat, EachDeviceHasItsLimitAndItsOwnFlows) {
  HomeNat nat;
  for (std::uint16_t port = 1; port <= HomeNat::kMaxPerDevice; ++port) {
    Buffer call = packet({kDevice4.address, port}, kHost4);
    ASSERT_TRUE(nat.outward(kOne, {kDevice4.address, port}, kHost4, kBox4, call, kNow)) << port;
  }
  Buffer more = packet(kDevice4, kHost4);
  EXPECT_FALSE(nat.outward(kOne, kDevice4, kHost4, kBox4, more, kNow));
  const Endpoint other = at("10.203.0.4:50000");
  Buffer of_other = packet(other, kHost4);
  EXPECT_TRUE(nat.outward(kTwo, other, kHost4, kBox4, of_other, kNow));
  nat.expel(kOne);
  EXPECT_EQ(nat.size(), 1U);
  EXPECT_TRUE(nat.outward(kOne, kDevice4, kHost4, kBox4, more, kNow));
}

TEST(HomeNat, PortsGoRoundWithoutMeeting) {
  HomeNat nat;
  Buffer kept = packet(kDevice4, kHost4);
  ASSERT_TRUE(nat.outward(kOne, kDevice4, kHost4, kBox4, kept, kNow));
  const Endpoint stand_in = ends_of(kept).source;
  nat.opened(stand_in);
  Time now = kNow;
  for (int i = 0; i < 70'000; ++i) {
    const Endpoint device{kDevice4.address, static_cast<std::uint16_t>(1 + i % 40'000)};
    Buffer call = packet(device, kHost4);
    ASSERT_TRUE(nat.outward(kOne, device, kHost4, kBox4, call, now));
    const auto source = ends_of(call).source;
    ASSERT_NE(source, stand_in);
    ASSERT_GE(source.port, 1024);
    now += HomeNat::kLinger;
    nat.on_tick(now);
  }
  EXPECT_EQ(nat.size(), 1U);
}

}  // namespace
}  // namespace hearthcast::forward
