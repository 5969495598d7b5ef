// The box's end inside the tunnels with a TUN interface for real, in a network of its own.
#include "appliance/forward/inner_port.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>

#include "tests/unit/forward/box_in_test.hpp"
#include "tests/unit/forward/inner_in_test.hpp"
#include "tests/unit/tunnel/tcp_packets.hpp"
#include "tunnelmgr/linux/netd_client.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/tunnel/tcp_segment.hpp"
#include "tunnelmgr/tunnel/unicast.hpp"

namespace hearthcast::forward {
namespace {

namespace tcp = tunnel::tcp;

constexpr PeerId kDevice{7};
constexpr std::uint16_t kWeb = 8871;
constexpr std::uint16_t kClosed = 8872;  // served, but nobody listens
constexpr std::uint16_t kSecret = 22;    // somebody listens, but it is not served
const tunnel::InnerAddresses kInner{*IpAddress::parse("fd01:0:0:1::2"), *IpAddress::parse("fd01:0:0:1::1"),
                                    *IpAddress::parse("10.203.0.3"), *IpAddress::parse("10.203.0.1")};

struct Sink final : InnerSink {
  std::size_t on_inner_packets(PeerId peer, std::span<const Bytes> gre) override {
    for (const Bytes one : gre) {
      EXPECT_EQ(peer, kDevice);
      packets.emplace_back(one.begin(), one.end());
    }
    return lose ? gre.size() : 0;
  }
  std::vector<Buffer> packets;
  bool lose = false;
};

// A box with its interface up, one device admitted, and a service on two ports.
struct World {
  World() {
    auto opened = netd.open_tun(1280);
    EXPECT_TRUE(opened) << opened.error().text;
    EXPECT_TRUE(netd.add_tun_address(opened->fd.get(), kInner.box_ip6, 64));
    EXPECT_TRUE(netd.add_tun_address(opened->fd.get(), kInner.box_ip4, 32));
    EXPECT_TRUE(netd.add_tun_route(opened->fd.get(), Prefix::only(kInner.ip4)));
    wait_until_own(kInner.box_ip6);
    port.open(std::move(opened->fd));
    port.gate().serve({kWeb, kClosed});
    port.gate().admit(kDevice, kInner);
  }
  // The next packet that the kernel sends to the device, decoded.
  tunnel::UnicastPacket next() {
    while (sink.packets.empty()) {
      pollfd ready{port.fd(), POLLIN, 0};
      if (::poll(&ready, 1, 20'000) != 1) {
        ADD_FAILURE() << "the kernel says nothing";
        return {};
      }
      port.read(sink);
    }
    last = std::move(sink.packets.front());
    sink.packets.erase(sink.packets.begin());
    const auto gre = tunnel::decode_inner_packet(last);
    EXPECT_TRUE(gre && gre->kind == tunnel::InnerKind::kMembership);
    const auto packet = tunnel::decode_unicast(gre->payload);
    EXPECT_TRUE(packet);
    return packet.value_or(tunnel::UnicastPacket{});
  }
  bool take(PeerId peer, Bytes packet) {
    return port.on_packet(peer, packet, sink, Time(std::chrono::hours{1}));
  }
  linux::NetdClient netd;
  InnerPort port;
  Sink sink;
  Buffer last;
  linux::Fd web = listening(kWeb);
  linux::Fd secret = listening(kSecret);
};

Buffer call(const IpAddress& from, const IpAddress& to, std::uint16_t port) {
  return tcp::packet(from, to, 50001, port, tcp::kSyn, Buffer{2, 4, 5, 0xb4});
}

TEST(InnerPort, TheKernelAnswersACallToWhatIsServedInBothFamilies) {
  in_network([] {
    World world;
    for (const auto& [device, box] :
         {std::pair(kInner.ip6, kInner.box_ip6), std::pair(kInner.ip4, kInner.box_ip4)}) {
      EXPECT_TRUE(world.take(kDevice, call(device, box, kWeb)));
      const auto answer = world.next();
      EXPECT_EQ(answer.source, box);
      EXPECT_EQ(answer.destination, device);
      ASSERT_GE(answer.payload.size(), 24U);
      EXPECT_EQ(answer.payload[13], tcp::kSynAck);
      EXPECT_EQ(answer.payload[20], 2) << "the segment size comes first";
      EXPECT_LE(answer.payload[22] << 8 | answer.payload[23], int{tunnel::kLargestTcpSegment});
      wire::Checksum sum;
      sum.add_pseudo_header(box, device, 6, static_cast<std::uint32_t>(answer.payload.size()));
      sum.add(answer.payload);
      EXPECT_EQ(sum.value(), 0);
    }
    EXPECT_EQ(world.port.gate().counters().to_box, 2U);
    EXPECT_GE(world.port.gate().counters().from_box, 2U);
  });
}

TEST(InnerPort, WhoHasNoBusinessThereIsToldSo) {
  in_network([] {
    World world;
    EXPECT_TRUE(world.take(kDevice, call(kInner.ip4, *IpAddress::parse("192.168.1.50"), 80)));
    const auto error4 = world.next();
    EXPECT_EQ(error4.source, kInner.box_ip4);
    EXPECT_EQ(error4.destination, kInner.ip4);
    EXPECT_EQ(error4.payload[0], 3);
    EXPECT_EQ(error4.payload[1], 13);
    EXPECT_TRUE(world.take(kDevice, call(kInner.ip6, *IpAddress::parse("fd77::9"), 80)));
    const auto error6 = world.next();
    EXPECT_EQ(error6.source, kInner.box_ip6);
    EXPECT_EQ(error6.payload[0], 1);
    EXPECT_EQ(error6.payload[1], 1);
    for (int i = 0; i < 50; ++i) {
      EXPECT_TRUE(world.take(kDevice, call(kInner.ip6, *IpAddress::parse("fd77::9"), 80)));
    }
    EXPECT_EQ(world.sink.packets.size(), 8U) << "ten in one second";
    EXPECT_EQ(world.port.gate().counters().prohibited, 52U);
  });
}

TEST(InnerPort, WhereNobodyListensTheKernelRefuses) {
  in_network([] {
    World world;
    EXPECT_TRUE(world.take(kDevice, call(kInner.ip6, kInner.box_ip6, kClosed)));
    EXPECT_EQ(world.next().payload[13], 0x14) << "reset";
  });
}

TEST(InnerPort, WhatIsNotServedIsNotEvenAskedFor) {
  in_network([] {
    World world;
    EXPECT_FALSE(world.take(kDevice, call(kInner.ip6, kInner.box_ip6, kSecret)));
    EXPECT_FALSE(world.take(PeerId{8}, call(kInner.ip6, kInner.box_ip6, kWeb))) << "not admitted";
    EXPECT_TRUE(world.take(kDevice, call(kInner.ip6, kInner.box_ip6, kWeb)));
    EXPECT_EQ(world.next().payload[13], tcp::kSynAck);
    // The one answer is that of the one call; the kernel heard of no other.
    while (world.port.read(world.sink)) {
    }
    EXPECT_TRUE(world.sink.packets.empty());
    EXPECT_EQ(world.port.gate().counters().refused, 1U);
  });
}

TEST(InnerPort, WhatOtherProgramsSendThereStaysHere) {
  in_network([] {
    World world;
    linux::Fd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto to = at_port(kInner.ip6, 7);
    ASSERT_EQ(::sendto(fd.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 1);
    const auto& counters = world.port.gate().counters();
    for (const auto before = counters.kept_here; counters.kept_here == before;) {
      pollfd ready{world.port.fd(), POLLIN, 0};
      ASSERT_EQ(::poll(&ready, 1, 20'000), 1);
      world.port.read(world.sink);
    }
    EXPECT_TRUE(world.sink.packets.empty());
    EXPECT_EQ(counters.from_box, 0U);
  });
}

TEST(InnerPort, WhatASessionDoesNotTakeIsCounted) {
  in_network([] {
    World world;
    world.sink.lose = true;
    EXPECT_TRUE(world.take(kDevice, call(kInner.ip4, kInner.box_ip4, kWeb)));
    (void)world.next();
    EXPECT_EQ(world.port.gate().counters().dropped, 1U);
  });
}

TEST(InnerPort, WithoutAnInterfaceEverythingIsLeftToOthers) {
  InnerPort port;
  port.gate().serve({kWeb});
  port.gate().admit(kDevice, kInner);
  EXPECT_EQ(port.fd(), -1);
  Sink sink;
  EXPECT_FALSE(port.on_packet(kDevice, call(kInner.ip6, kInner.box_ip6, kWeb), sink, Time()));
  EXPECT_EQ(port.gate().counters().to_box, 0U);
}

}  // namespace
}  // namespace hearthcast::forward
