// The whole data thread with a device's sealed tunnel on one side and a TUN interface of the kernel on the
// other: what a hostile device sends inside its tunnel, and what of it the kernel hears.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <utility>
#include <vector>

#include "tests/unit/datapath/device_in_test.hpp"
#include "tests/unit/forward/box_in_test.hpp"
#include "tests/unit/forward/inner_in_test.hpp"
#include "tests/unit/tunnel/tcp_packets.hpp"
#include "tunnelmgr/linux/netd_client.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/tunnel/unicast.hpp"

namespace hearthcast::forward {
namespace {

namespace tcp = tunnel::tcp;
using Device = datapath::DeviceInTest;

constexpr std::uint16_t kWeb = 8871;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const tunnel::InnerAddresses kAtOne{ip("fd01:0:0:1::2"), ip("fd01:0:0:1::1"), ip("10.203.0.3"),
                                    ip("10.203.0.1")};
const tunnel::InnerAddresses kAtTwo{ip("fd01:0:0:2::2"), ip("fd01:0:0:2::1"), ip("10.203.0.4"),
                                    ip("10.203.0.1")};

// What the kernel gets out of the interface; not what it sends there.
class Ear {
 public:
  explicit Ear(unsigned index) : fd_(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_ll here{};
    here.sll_family = AF_PACKET;
    here.sll_protocol = htons(ETH_P_ALL);
    here.sll_ifindex = static_cast<int>(index);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
  }
  std::vector<Buffer> heard() {
    std::vector<Buffer> all;
    Buffer room(2048);
    for (;;) {
      sockaddr_ll from{};
      socklen_t size = sizeof from;
      const auto got =
          ::recvfrom(fd_.get(), room.data(), room.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0) {
        return all;
      }
      if (from.sll_pkttype != PACKET_OUTGOING) {
        all.emplace_back(room.begin(), room.begin() + got);
      }
    }
  }

 private:
  linux::Fd fd_;
};

struct World {
  World() {
    auto opened = netd.open_tun(1280);
    EXPECT_TRUE(opened) << opened.error().text;
    tun = std::move(opened->fd);
    index = opened->index;
    for (const auto& device : {kAtOne, kAtTwo}) {
      EXPECT_TRUE(netd.add_tun_address(tun.get(), device.box_ip6, 64));
      EXPECT_TRUE(netd.add_tun_address(tun.get(), device.box_ip4, 32));
      EXPECT_TRUE(netd.add_tun_route(tun.get(), Prefix::only(device.ip4)));
    }
    wait_until_own(kAtOne.box_ip6);
    wait_until_own(kAtTwo.box_ip6);
    box.post(OpenInner{linux::Fd(::fcntl(tun.get(), F_DUPFD_CLOEXEC, 0)), "hearthcast0"});
    box.post(ServeInner{{kWeb}});
    box.post(one.session());
    box.post(two.session());
    box.post(AdmitInner{one.id(), kAtOne});
    box.post(AdmitInner{two.id(), kAtTwo});
  }
  void send(Device& from, Bytes packet) { from.send(box.endpoint(), tunnel::encode_membership(packet)); }
  InnerCounters counters(std::uint64_t to_box) {
    const auto report = box.wait_for<StatisticsReady>(
        [&](const StatisticsReady& ready) { return ready.statistics->inner.to_box >= to_box; });
    return report ? report->statistics->inner : InnerCounters{};
  }
  // The next packet that the device gets; empty when none comes.
  Buffer next(Device& device) {
    if (waiting.empty()) {
      waiting = device.receive(1);
    }
    if (waiting.empty()) {
      return {};
    }
    Buffer first = std::move(waiting.front());
    waiting.erase(waiting.begin());
    return first;
  }
  std::vector<Buffer> waiting;  // of the one device that next() is asked for
  linux::NetdClient netd;
  linux::Fd tun;
  unsigned index = 0;
  linux::Fd web = listening(kWeb);
  linux::Fd secret = listening(22);
  Box box;
  Device one{1};
  Device two{2};
};

// A view into gre.
std::optional<tunnel::UnicastPacket> unicast_in(const Buffer& gre) {
  const auto inner = tunnel::decode_inner_packet(gre);
  return inner ? tunnel::decode_unicast(inner->payload) : std::nullopt;
}

Buffer call(const IpAddress& from, const IpAddress& to, std::uint16_t port = kWeb) {
  return tcp::packet(from, to, 50001, port);
}

std::vector<Buffer> hostile() {
  std::vector<Buffer> all{
      call(kAtOne.ip6, kAtOne.box_ip6, 22),     // another service
      call(kAtOne.ip4, kAtOne.box_ip4, 22),     //
      call(kAtTwo.ip6, kAtOne.box_ip6),         // another viewer's address
      call(kAtTwo.ip4, kAtTwo.box_ip4),         //
      call(ip("192.168.1.7"), kAtOne.box_ip4),  // one at home
      call(ip("127.0.0.1"), kAtOne.box_ip4),    // the box's own
      call(ip("::1"), kAtOne.box_ip6),          //
      call(kAtOne.box_ip6, kAtOne.box_ip6),     // from itself (a "land")
      call(kAtOne.box_ip4, kAtOne.box_ip4),     //
      call(kAtOne.ip6, kAtTwo.ip6),             // to another viewer
      call(kAtOne.ip4, kAtTwo.ip4),             //
      call(kAtOne.ip6, kAtTwo.box_ip6),         // to the box in another's network
      call(kAtOne.ip6, ip("ff02::1")),          // groups
      call(kAtOne.ip6, ip("ff05::2")),          //
      call(kAtOne.ip4, ip("224.0.0.1")),        //
      call(kAtOne.ip4, ip("255.255.255.255")),  //
      call(ip("fe80::1:1"), ip("fe80::1")),     // link-local
      call(kAtOne.ip6, ip("::1")),              // loopback
      call(kAtOne.ip4, ip("127.0.0.1")),        //
      call(kAtOne.ip4, ip("192.168.1.1")),      // at home
      call(kAtOne.ip6, ip("2001:db8::1")),      // the world
      tcp::in_ip(kAtOne.ip4, kAtOne.box_ip4, 17, Buffer(20)),
      tcp::in_ip(kAtOne.ip6, kAtOne.box_ip6, 17, Buffer(20)),
      tcp::in_ip(kAtOne.ip4, kAtOne.box_ip4, 1, Buffer{5, 1, 0, 0, 10, 203, 0, 9}),  // a redirect
      tcp::in_ip(kAtOne.ip6, kAtOne.box_ip6, 58, Buffer(32, 134)),  // a router's advertisement
  };
  const Buffer segment = tcp::segment(kAtOne.ip6, kAtOne.box_ip6, 50001, kWeb, tcp::kSyn);
  for (const std::uint8_t header : std::initializer_list<std::uint8_t>{0, 43, 44, 60}) {
    Buffer hidden{6, 0, 1, 4, 0, 0, 0, 0};
    hidden.insert(hidden.end(), segment.begin(), segment.end());
    all.push_back(tcp::in_ip(kAtOne.ip6, kAtOne.box_ip6, header, hidden));
  }
  const Buffer segment4 = tcp::segment(kAtOne.ip4, kAtOne.box_ip4, 50001, kWeb, tcp::kSyn);
  all.push_back(wire::encode_ip4(
      {.more_fragments = true, .ttl = 64, .protocol = 6, .source = kAtOne.ip4, .destination = kAtOne.box_ip4},
      segment4));
  Buffer cut = call(kAtOne.ip6, kAtOne.box_ip6);
  cut.resize(50);
  all.push_back(cut);
  return all;
}

TEST(InnerPlane, OfAllThatAHostileDeviceSendsTheKernelHearsTheOneCall) {
  in_network([] {
    World world;
    Ear ear(world.index);
    for (const Buffer& packet : hostile()) {
      world.send(world.one, packet);
    }
    const Buffer good = call(kAtOne.ip6, kAtOne.box_ip6);
    world.send(world.one, good);
    // Errors come first, for what it has no business with.
    int errors = 0;
    Buffer last;
    tunnel::UnicastPacket answer;
    while (answer.protocol != 6) {
      last = world.next(world.one);
      const auto unicast = unicast_in(last);
      ASSERT_TRUE(unicast);
      answer = *unicast;
      errors += answer.protocol == 6 ? 0 : 1;
      EXPECT_TRUE(answer.source == kAtOne.box_ip6 || answer.source == kAtOne.box_ip4);
    }
    EXPECT_LE(errors, 10);
    EXPECT_EQ(answer.source, kAtOne.box_ip6);
    EXPECT_EQ(answer.payload[13], tcp::kSynAck);
    EXPECT_EQ(ear.heard(), (std::vector<Buffer>{good}));
    const InnerCounters counted = world.counters(1);
    EXPECT_EQ(counted.to_box, 1U);
    EXPECT_EQ(counted.spoofed, 7U);
    EXPECT_GE(counted.refused, 11U);
    EXPECT_GE(counted.prohibited, 7U);
  });
}

TEST(InnerPlane, EachDeviceGetsItsOwnAnswers) {
  in_network([] {
    World world;
    world.send(world.one, call(kAtOne.ip4, kAtOne.box_ip4));
    world.send(world.two, call(kAtTwo.ip4, kAtTwo.box_ip4));
    for (const auto& [device, addresses] : {std::pair(&world.one, &kAtOne), std::pair(&world.two, &kAtTwo)}) {
      const auto answers = device->receive(1);
      ASSERT_FALSE(answers.empty());
      const auto inner = tunnel::decode_inner_packet(answers[0]);
      ASSERT_TRUE(inner);
      EXPECT_EQ(tunnel::decode_unicast(inner->payload)->destination, addresses->ip4);
    }
  });
}

TEST(InnerPlane, WhoIsExpelledIsCutOffAtOnce) {
  in_network([] {
    World world;
    Ear ear(world.index);
    world.send(world.one, call(kAtOne.ip6, kAtOne.box_ip6));
    ASSERT_GE(world.one.receive(1).size(), 1U);
    EXPECT_EQ(ear.heard().size(), 1U);
    world.box.post(ExpelInner{world.one.id()});
    world.send(world.one, call(kAtOne.ip6, kAtOne.box_ip6));
    // It goes where such packets go without an interface, and the kernel hears nothing.
    const auto up = world.box.wait_for<datapath::InnerReceived>();
    ASSERT_TRUE(up);
    EXPECT_EQ(up->peer, world.one.id());
    EXPECT_TRUE(ear.heard().empty());
    world.send(world.two, call(kAtTwo.ip6, kAtTwo.box_ip6));
    EXPECT_GE(world.two.receive(1).size(), 1U) << "the other one goes on";
  });
}

// The relay connects to no address of the machine itself, whatever was granted: that would be every service
// of it.
TEST(InnerPlane, AGrantNeverMeansTheBoxItself) {
  in_network([] {
    World world;
    ASSERT_TRUE(world.netd.add_tun_address(world.tun.get(), ip("192.168.1.10"), 32));
    world.box.post(AdmitInner{world.one.id(), kAtOne, {*HomeHost::parse("192.168.1.10")}});
    world.send(world.one, call(kAtOne.ip4, ip("192.168.1.10"), 22));
    // The relay takes the connection to look where it goes, and cuts it off.
    bool reset = false;
    while (!reset) {
      const Buffer gre = world.next(world.one);
      const auto answer = unicast_in(gre);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->source, ip("192.168.1.10"));
      EXPECT_EQ(answer->destination, kAtOne.ip4);
      if (answer->payload[13] == tcp::kSynAck) {
        const Bytes sequence = Bytes(answer->payload).subspan(4, 4);
        const auto number = Reader(sequence).u32() + 1;
        Buffer segment = tcp::acknowledging(kAtOne.ip4, ip("192.168.1.10"), 50001, 22, 2, number);
        world.send(world.one, tcp::in_ip(kAtOne.ip4, ip("192.168.1.10"), 6, segment));
      }
      reset = (answer->payload[13] & 0x04) != 0;
    }
    const auto report = world.box.wait_for<StatisticsReady>(
        [](const StatisticsReady& ready) { return ready.statistics->home.refused > 0; });
    ASSERT_TRUE(report);
    EXPECT_EQ(report->statistics->home.opened, 0U);
    EXPECT_EQ(report->statistics->home.open, 0U);
  });
}

}  // namespace
}  // namespace hearthcast::forward
