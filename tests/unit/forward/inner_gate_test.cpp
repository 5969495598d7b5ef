#include "appliance/forward/inner_gate.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <iterator>
#include <optional>

#include "tests/unit/tunnel/tcp_packets.hpp"
#include "tunnelmgr/wire/icmp6.hpp"

namespace hearthcast::forward {
namespace {

namespace tcp = tunnel::tcp;

constexpr PeerId kOne{1};
constexpr PeerId kTwo{2};
constexpr std::uint16_t kWeb = 8871;
constexpr std::uint16_t kFromPort = 50000;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const tunnel::InnerAddresses kAtOne{ip("fd01:0:0:1::2"), ip("fd01:0:0:1::1"), ip("10.203.0.3"),
                                    ip("10.203.0.1")};
const tunnel::InnerAddresses kAtTwo{ip("fd01:0:0:2::2"), ip("fd01:0:0:2::1"), ip("10.203.0.4"),
                                    ip("10.203.0.1")};

using Kind = InnerGate::Way::Kind;

bool passes_in(InnerGate& gate, PeerId peer, Bytes packet) {
  return gate.way_in(peer, packet).kind == Kind::kBox;
}
std::optional<PeerId> passes_out(InnerGate& gate, Bytes packet) {
  const auto way = gate.way_out(packet);
  return way.kind == Kind::kBox ? std::optional(way.peer) : std::nullopt;
}

struct GateTest : testing::Test {
  GateTest() {
    gate.serve({kWeb, 8872});
    gate.admit(kOne, kAtOne);
    gate.admit(kTwo, kAtTwo);
  }
  // In the order of the counters: let through, refused, spoofed.
  void expect_counted(std::uint64_t to_box, std::uint64_t refused, std::uint64_t spoofed) const {
    EXPECT_EQ(gate.counters().to_box, to_box);
    EXPECT_EQ(gate.counters().refused, refused);
    EXPECT_EQ(gate.counters().spoofed, spoofed);
  }
  InnerGate gate;
};

Buffer syn(const IpAddress& from, const IpAddress& to, std::uint16_t port = kWeb) {
  return tcp::packet(from, to, kFromPort, port);
}
Buffer answer(const IpAddress& from, const IpAddress& to, std::uint16_t port = kWeb) {
  return tcp::packet(from, to, port, kFromPort, tcp::kSynAck);
}

TEST_F(GateTest, AnAdmittedDeviceReachesTheServedPortsOfTheBox) {
  for (const std::uint16_t port : {kWeb, std::uint16_t{8872}}) {
    EXPECT_TRUE(passes_in(gate, kOne, syn(kAtOne.ip6, kAtOne.box_ip6, port)));
    EXPECT_TRUE(passes_in(gate, kOne, syn(kAtOne.ip4, kAtOne.box_ip4, port)));
  }
  EXPECT_TRUE(passes_in(gate, kTwo, syn(kAtTwo.ip4, kAtTwo.box_ip4)));
  expect_counted(5, 0, 0);
}

TEST_F(GateTest, AnswersGoToTheDeviceThatTheyAreFor) {
  EXPECT_EQ(passes_out(gate, answer(kAtOne.box_ip6, kAtOne.ip6)), kOne);
  EXPECT_EQ(passes_out(gate, answer(kAtOne.box_ip4, kAtOne.ip4)), kOne);
  EXPECT_EQ(passes_out(gate, answer(kAtTwo.box_ip4, kAtTwo.ip4)), kTwo);
  EXPECT_EQ(passes_out(gate, answer(kAtTwo.box_ip6, kAtTwo.ip6)), kTwo);
  EXPECT_EQ(gate.counters().from_box, 4U);
  EXPECT_EQ(gate.counters().kept_here, 0U);
}

TEST_F(GateTest, NoOtherPortOfTheBoxIsReached) {
  for (const std::uint16_t port :
       std::initializer_list<std::uint16_t>{0, 22, 25, 53, 80, 111, 443, 4755, 8870, 8873, 65535}) {
    EXPECT_FALSE(passes_in(gate, kOne, syn(kAtOne.ip6, kAtOne.box_ip6, port))) << port;
    EXPECT_FALSE(passes_in(gate, kOne, syn(kAtOne.ip4, kAtOne.box_ip4, port))) << port;
  }
  expect_counted(0, 22, 0);
}

TEST_F(GateTest, ASourceThatIsNotTheDevicesIsForged) {
  for (const char* from : {"fd01:0:0:2::2", "fd01:0:0:1::1", "fd01:0:0:1::3", "2001:db8::1", "::1", "::"}) {
    EXPECT_FALSE(passes_in(gate, kOne, syn(ip(from), kAtOne.box_ip6))) << from;
  }
  for (const char* from : {"10.203.0.4", "10.203.0.1", "127.0.0.1", "192.168.1.2", "0.0.0.0"}) {
    EXPECT_FALSE(passes_in(gate, kOne, syn(ip(from), kAtOne.box_ip4))) << from;
  }
  expect_counted(0, 0, 11);
}

TEST_F(GateTest, NoOtherDestinationIsReached) {
  // Another viewer, the box as that one knows it, the box's loopback, home, the world.
  for (const char* to :
       {"fd01:0:0:2::2", "fd01:0:0:2::1", "fd01:0:0:1::2", "::1", "::", "fe80::1", "2001:db8::1"}) {
    EXPECT_FALSE(passes_in(gate, kOne, syn(kAtOne.ip6, ip(to)))) << to;
  }
  for (const char* to :
       {"10.203.0.4", "10.203.0.3", "127.0.0.1", "192.168.1.1", "255.255.255.255", "0.0.0.0"}) {
    EXPECT_FALSE(passes_in(gate, kOne, syn(kAtOne.ip4, ip(to)))) << to;
  }
  expect_counted(0, 0, 0);
  EXPECT_EQ(gate.counters().prohibited, 13U);
}

TEST_F(GateTest, OptionsExtensionHeadersAndFragmentsAreRefused) {
  const Buffer segment = tcp::segment(kAtOne.ip6, kAtOne.box_ip6, kFromPort, kWeb, tcp::kSyn);
  for (const std::uint8_t header : std::initializer_list<std::uint8_t>{0, 43, 44, 60, 135, 139, 140}) {
    // The extension header of eight octets, then the segment that it hides.
    Buffer hidden{6, 0, 1, 4, 0, 0, 0, 0};
    hidden.insert(hidden.end(), segment.begin(), segment.end());
    EXPECT_FALSE(passes_in(gate, kOne, tcp::in_ip(kAtOne.ip6, kAtOne.box_ip6, header, hidden)))
        << int{header};
  }
  const Buffer segment4 = tcp::segment(kAtOne.ip4, kAtOne.box_ip4, kFromPort, kWeb, tcp::kSyn);
  for (const bool first : {true, false}) {
    const Buffer fragment = wire::encode_ip4({.more_fragments = first,
                                              .fragment_offset = static_cast<std::uint16_t>(first ? 0 : 3),
                                              .ttl = 64,
                                              .protocol = 6,
                                              .source = kAtOne.ip4,
                                              .destination = kAtOne.box_ip4},
                                             segment4);
    EXPECT_FALSE(passes_in(gate, kOne, fragment)) << first;
  }
  const Buffer with_option = wire::encode_ip4(
      {.ttl = 64, .protocol = 6, .source = kAtOne.ip4, .destination = kAtOne.box_ip4, .router_alert = true},
      segment4);
  EXPECT_FALSE(passes_in(gate, kOne, with_option));
  expect_counted(0, 10, 0);
}

TEST_F(GateTest, WhatIsNeitherTcpNorAnothersBusinessIsRefused) {
  const Buffer datagram(20);
  for (const std::uint8_t protocol : std::initializer_list<std::uint8_t>{17, 33, 41, 47, 50, 132}) {
    EXPECT_FALSE(passes_in(gate, kOne, tcp::in_ip(kAtOne.ip4, kAtOne.box_ip4, protocol, datagram)))
        << int{protocol};
    EXPECT_FALSE(passes_in(gate, kOne, tcp::in_ip(kAtOne.ip6, kAtOne.box_ip6, protocol, datagram)))
        << int{protocol};
  }
  Buffer longer = syn(kAtOne.ip6, kAtOne.box_ip6);
  longer.push_back(0);
  EXPECT_FALSE(passes_in(gate, kOne, longer)) << "octets behind the packet";
  expect_counted(0, 13, 0);
}

TEST_F(GateTest, MembershipAndEchoAreLeftToOthersAndNotCounted) {
  const Buffer echo = tcp::in_ip(kAtOne.ip6, kAtOne.box_ip6, 58,
                                 wire::encode_icmp6({128, 0, Buffer(8)}, kAtOne.ip6, kAtOne.box_ip6));
  EXPECT_FALSE(passes_in(gate, kOne, echo));
  EXPECT_FALSE(
      passes_in(gate, kOne, tcp::in_ip(kAtOne.ip4, kAtOne.box_ip4, 1, Buffer{8, 0, 0, 0, 0, 0, 0, 0})));
  EXPECT_FALSE(passes_in(gate, kOne, syn(kAtOne.ip6, ip("ff02::16"))));
  EXPECT_FALSE(passes_in(gate, kOne, syn(kAtOne.ip4, ip("224.0.0.22"))));
  expect_counted(0, 0, 0);
}

TEST_F(GateTest, EveryPrefixIsRejectedNotRead) {
  for (const Buffer& whole : {syn(kAtOne.ip6, kAtOne.box_ip6), syn(kAtOne.ip4, kAtOne.box_ip4)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(passes_in(gate, kOne, Bytes(whole).first(size))) << size;
      EXPECT_FALSE(passes_out(gate, Bytes(whole).first(size))) << size;
    }
  }
  EXPECT_EQ(gate.counters().to_box, 0U);
}

TEST_F(GateTest, OnlyAnswersOfWhatIsServedLeave) {
  EXPECT_FALSE(passes_out(gate, answer(kAtOne.box_ip6, kAtOne.ip6, 22)))
      << "another program of the box calls";
  EXPECT_FALSE(passes_out(gate, answer(ip("192.168.1.9"), kAtOne.ip4))) << "a host at home, routed";
  EXPECT_FALSE(passes_out(gate, answer(kAtTwo.box_ip6, kAtOne.ip6))) << "the box as another one knows it";
  EXPECT_FALSE(passes_out(gate, answer(kAtOne.box_ip4, ip("10.203.0.9")))) << "nobody";
  EXPECT_FALSE(passes_out(gate, tcp::in_ip(kAtOne.box_ip4, kAtOne.ip4, 17, Buffer(20)))) << "UDP";
  EXPECT_FALSE(passes_out(gate, tcp::in_ip(kAtOne.box_ip6, ip("ff02::2"), 58, Buffer(8))))
      << "the kernel's own";
  EXPECT_EQ(gate.counters().kept_here, 6U);
  EXPECT_EQ(gate.counters().from_box, 0U);
}

TEST_F(GateTest, WhoIsExpelledReachesNothingAndIsNotReached) {
  gate.expel(kOne);
  EXPECT_FALSE(gate.admits(kOne));
  EXPECT_FALSE(passes_in(gate, kOne, syn(kAtOne.ip6, kAtOne.box_ip6)));
  EXPECT_FALSE(passes_out(gate, answer(kAtOne.box_ip6, kAtOne.ip6)));
  EXPECT_TRUE(gate.admits(kTwo));
  EXPECT_TRUE(passes_in(gate, kTwo, syn(kAtTwo.ip6, kAtTwo.box_ip6)));
  gate.expel(PeerId{99});  // unknown: nothing
  gate.admit(kOne, kAtOne);
  EXPECT_TRUE(passes_in(gate, kOne, syn(kAtOne.ip6, kAtOne.box_ip6)));
}

TEST_F(GateTest, AnAddressBelongsToWhoHadItFirst) {
  auto same = kAtTwo;
  same.ip4 = kAtOne.ip4;  // numbers of devices that lie as far apart as the range is large
  gate.admit(kTwo, same);
  EXPECT_TRUE(passes_in(gate, kOne, syn(kAtOne.ip4, kAtOne.box_ip4)));
  EXPECT_FALSE(passes_in(gate, kTwo, syn(same.ip4, same.box_ip4)));
  EXPECT_EQ(gate.counters().spoofed, 1U);
  EXPECT_TRUE(passes_in(gate, kTwo, syn(same.ip6, same.box_ip6)));
  EXPECT_EQ(passes_out(gate, answer(same.box_ip4, same.ip4)), kOne);
}

TEST_F(GateTest, WithoutAServedPortNothingPasses) {
  gate.serve({});
  EXPECT_FALSE(passes_in(gate, kOne, syn(kAtOne.ip6, kAtOne.box_ip6)));
  EXPECT_FALSE(passes_out(gate, answer(kAtOne.box_ip6, kAtOne.ip6)));
}

constexpr std::uint16_t kRelay = 40001;

TEST_F(GateTest, AGrantedHostAtHomeIsReachedAtItsPorts) {
  gate.set_relay(kRelay);
  gate.admit(kOne, kAtOne, {*HomeHost::parse("192.168.1.50:80"), *HomeHost::parse("fd77::/64")});
  const auto way4 = gate.way_in(kOne, syn(kAtOne.ip4, ip("192.168.1.50"), 80));
  EXPECT_EQ(way4.kind, Kind::kHome);
  EXPECT_EQ(way4.source, (Endpoint{kAtOne.ip4, kFromPort}));
  EXPECT_EQ(way4.destination, (Endpoint{ip("192.168.1.50"), 80}));
  EXPECT_EQ(way4.box, kAtOne.box_ip4);
  const auto way6 = gate.way_in(kOne, syn(kAtOne.ip6, ip("fd77::9"), 22));
  EXPECT_EQ(way6.kind, Kind::kHome);
  EXPECT_EQ(way6.box, kAtOne.box_ip6);
  EXPECT_TRUE(passes_in(gate, kOne, syn(kAtOne.ip6, kAtOne.box_ip6))) << "the box as before";
}

TEST_F(GateTest, WhatWasNotGrantedIsProhibited) {
  gate.set_relay(kRelay);
  gate.admit(kOne, kAtOne, {*HomeHost::parse("192.168.1.50:80")});
  const Buffer refused[] = {
      syn(kAtOne.ip4, ip("192.168.1.50"), 81),
      syn(kAtOne.ip4, ip("192.168.1.51"), 80),
      syn(kAtOne.ip6, ip("fd77::9"), 80),
      tcp::in_ip(kAtOne.ip4, ip("192.168.1.50"), 17, Buffer(20)),
      tcp::in_ip(kAtOne.ip4, ip("192.168.1.50"), 1, Buffer{8, 0, 0, 0, 0, 0, 0, 0}),
  };
  for (const Buffer& packet : refused) {
    EXPECT_EQ(gate.way_in(kOne, packet).kind, Kind::kProhibited);
  }
  EXPECT_EQ(gate.way_in(kTwo, syn(kAtTwo.ip4, ip("192.168.1.50"), 80)).kind, Kind::kProhibited)
      << "another's grant";
  EXPECT_EQ(gate.way_in(kTwo, syn(kAtOne.ip4, ip("192.168.1.50"), 80)).kind, Kind::kOther)
      << "another's address";
  EXPECT_EQ(gate.counters().prohibited, std::size(refused) + 1);
  EXPECT_EQ(gate.counters().spoofed, 1U);
}

TEST_F(GateTest, WithoutARelayNoHostIsReached) {
  gate.admit(kOne, kAtOne, {*HomeHost::parse("192.168.1.50:80")});
  EXPECT_EQ(gate.way_in(kOne, syn(kAtOne.ip4, ip("192.168.1.50"), 80)).kind, Kind::kProhibited);
  EXPECT_EQ(gate.way_out(answer(kAtOne.box_ip4, kAtOne.ip4, kRelay)).kind, Kind::kOther);
}

TEST_F(GateTest, WhatTheRelaySaysIsForTheTranslation) {
  gate.set_relay(kRelay);
  const auto way = gate.way_out(answer(kAtOne.box_ip4, kAtOne.ip4, kRelay));
  EXPECT_EQ(way.kind, Kind::kHome);
  EXPECT_EQ(way.source, (Endpoint{kAtOne.box_ip4, kRelay}));
  EXPECT_EQ(way.destination, (Endpoint{kAtOne.ip4, kFromPort}));
  EXPECT_FALSE(passes_in(gate, kOne, syn(kAtOne.ip4, kAtOne.box_ip4, kRelay))) << "no device calls it itself";
}

TEST_F(GateTest, AGrantMayGoOnlyAsFarAsTheLastAdmission) {
  gate.admit(kOne, kAtOne, {*HomeHost::parse("192.168.1.50:80")});
  EXPECT_TRUE(gate.may_go(kOne, {ip("192.168.1.50"), 80}));
  EXPECT_FALSE(gate.may_go(kOne, {ip("192.168.1.50"), 81}));
  EXPECT_FALSE(gate.may_go(kTwo, {ip("192.168.1.50"), 80}));
  gate.admit(kOne, kAtOne);
  EXPECT_FALSE(gate.may_go(kOne, {ip("192.168.1.50"), 80}));
}

TEST_F(GateTest, ErrorsAreFewASecond) {
  const Time now(std::chrono::hours{1});
  int told = 0;
  for (int i = 0; i < 100; ++i) {
    told += gate.may_tell(kOne, now + std::chrono::milliseconds{i}) ? 1 : 0;
  }
  EXPECT_EQ(told, 10);
  EXPECT_TRUE(gate.may_tell(kTwo, now)) << "each device for itself";
  EXPECT_TRUE(gate.may_tell(kOne, now + std::chrono::seconds{1}));
  EXPECT_FALSE(gate.may_tell(PeerId{99}, now));
}

}  // namespace
}  // namespace hearthcast::forward
