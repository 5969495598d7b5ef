// The data thread with real sockets: multicast on a loopback of its own in, DTLS records out.
#include "appliance/forward/data_plane.hpp"

#include <gmock/gmock.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/unit/datapath/device_in_test.hpp"
#include "tests/unit/datapath/plane_in_test.hpp"
#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"

namespace hearthcast::forward {
namespace {

using Device = datapath::DeviceInTest;
using datapath::kLoopback;

const FlowKey kFlow{std::nullopt, *IpAddress::parse("239.77.1.2"), 5004};

// Sends the channel's datagrams on the loopback.
class Provider {
 public:
  Provider() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    ip_mreqn interface {};
    interface.imr_ifindex = static_cast<int>(::if_nametoindex("lo"));
    EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface), 0);
    sockaddr_in from{};  // named, or the kernel leaves the source of a packet on a bare loopback empty
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
    set_hops(16);
  }
  void set_hops(int hops) {
    EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops), 0);
  }
  void send(Bytes payload) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(kFlow.port);
    std::copy_n(kFlow.group.bytes().begin(), 4, reinterpret_cast<std::uint8_t*>(&to.sin_addr));
    EXPECT_EQ(
        ::sendto(fd_.get(), payload.data(), payload.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
        static_cast<ssize_t>(payload.size()));
  }

 private:
  linux::Fd fd_;
};

// The plane with flow 1 and its viewers.
class Box : public datapath::PlaneInTest<DataPlane> {
 public:
  void carry(FlowKey key = kFlow) {
    linux::MulticastOptions options;
    options.flow = key;
    options.interface_index = ::if_nametoindex("lo");
    auto socket = linux::MulticastSocket::join(options);
    ASSERT_TRUE(socket) << socket.error().text;
    post(AddFlow{FlowId{1}, key, std::make_unique<linux::MulticastSocket>(std::move(*socket))});
  }
  void show(std::vector<PeerId> peers) {
    auto table = std::make_unique<ViewerTable>();
    table->rows.push_back({FlowId{1}, std::move(peers)});
    post(SetViewers{std::move(table)});
  }
};

Buffer numbered(int number) {
  Buffer payload(1316, static_cast<std::uint8_t>(number));
  payload[0] = 0x47;
  return payload;
}

// The payloads of received media, with their sequence numbers checked to be a row.
std::vector<Buffer> payloads(const std::vector<Buffer>& received) {
  std::vector<Buffer> result;
  std::optional<std::uint32_t> last;
  for (const auto& gre : received) {
    const auto inner = tunnel::decode_inner_packet(gre);
    if (!inner) {
      ADD_FAILURE() << "no inner packet";
      continue;
    }
    const auto media = tunnel::decode_media(*inner);
    EXPECT_TRUE(media);
    EXPECT_EQ(media->flow, FlowId{1});
    EXPECT_EQ(media->header.destination, (Endpoint{kFlow.group, kFlow.port}));
    EXPECT_EQ(media->header.source.address, kLoopback);
    EXPECT_EQ(media->header.hop_limit, 15);
    if (last) {
      EXPECT_EQ(media->sequence, *last + 1);
    }
    last = media->sequence;
    result.emplace_back(media->payload.begin(), media->payload.end());
  }
  return result;
}

void in_network(const std::function<void()>& body) {
  if (!linux::in_private_network(65536, body)) {
    GTEST_SKIP() << "needs root: a network namespace of its own";
  }
}

TEST(BoxDataPlane, EveryViewerGetsEveryDatagramInOrder) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    Device two(2);
    box.carry();
    box.post(one.session());
    box.post(two.session());
    box.show({one.id(), two.id()});
    provider.send(numbered(0));
    ASSERT_TRUE(box.wait_for<FlowSignal>([](const FlowSignal& s) { return s.present; }));
    std::vector<Buffer> sent{numbered(0)};
    for (int n = 1; n < 200; ++n) {
      sent.push_back(numbered(n));
      provider.send(sent.back());
    }
    EXPECT_EQ(payloads(one.receive(200)), sent);
    EXPECT_EQ(payloads(two.receive(200)), sent);

    const auto report = box.wait_for<StatisticsReady>([](const StatisticsReady& r) {
      return !r.statistics->flows.empty() && r.statistics->flows[0].packets == 200;
    });
    ASSERT_TRUE(report);
    const auto& statistics = *report->statistics;
    EXPECT_EQ(statistics.flows[0].bytes, 200U * 1316);
    ASSERT_EQ(statistics.viewers.size(), 2U);
    for (const auto& viewer : statistics.viewers) {
      EXPECT_EQ(viewer.packets, 200U);
      EXPECT_EQ(viewer.drops, 0U);
      EXPECT_GT(viewer.bytes, 200U * 1316);
    }
    EXPECT_EQ(statistics.port.datagrams, 0U);
  });
}

TEST(BoxDataPlane, WhoIsNotInTheTableGetsNothing) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    Device two(2);
    box.post(one.session());
    box.post(two.session());
    box.carry();
    box.show({one.id()});
    provider.send(numbered(1));
    EXPECT_EQ(one.receive(1).size(), 1U);
    box.show({two.id()});
    // What is posted comes before datagrams of the same turn, so an answer to control orders the two.
    box.post(datapath::SendInner{one.id(), *from_hex("000088b50101000000010000")});
    EXPECT_EQ(one.receive(1).size(), 1U);
    provider.send(numbered(2));
    const auto got = payloads(two.receive(1));
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0], numbered(2));
    box.post(datapath::RemoveSession{one.id()});
    EXPECT_TRUE(one.closed()) << "nothing but the goodbye came";
  });
}

TEST(BoxDataPlane, AUsedUpHopLimitIsNotForwarded) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    box.post(one.session());
    box.carry();
    box.show({one.id()});
    provider.set_hops(1);
    provider.send(numbered(1));
    provider.set_hops(16);
    provider.send(numbered(2));
    const auto got = payloads(one.receive(1));
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0], numbered(2));
    const auto report = box.wait_for<StatisticsReady>([](const StatisticsReady& r) {
      return !r.statistics->flows.empty() && r.statistics->flows[0].packets == 2;
    });
    ASSERT_TRUE(report);
    EXPECT_EQ(report->statistics->flows[0].dropped, 1U);
  });
}

TEST(BoxDataPlane, MembershipComesUpAndMediaFromADeviceIsCounted) {
  Box box;
  Device one(1);
  box.post(one.session());
  const auto report = *from_hex("000086dd60000000");
  one.send(box.endpoint(), report);
  const auto inner = box.wait_for<datapath::InnerReceived>();
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->peer, one.id());
  EXPECT_EQ(inner->gre, report);
  one.send(box.endpoint(), *from_hex("300086dd000000010000000160000000"));  // devices send no media
  const auto counted = box.wait_for<StatisticsReady>(
      [](const StatisticsReady& r) { return r.statistics->port.malformed == 1; });
  ASSERT_TRUE(counted);
  ASSERT_EQ(counted->statistics->peers.size(), 1U);
  EXPECT_EQ(counted->statistics->peers[0].records, 2U);
}

TEST(BoxDataPlane, TheSignalIsMissedAfterASecond) {
  in_network([] {
    Provider provider;
    Box box;
    box.carry();
    provider.send(numbered(1));
    EXPECT_TRUE(box.wait_for<FlowSignal>([](const FlowSignal& s) { return s.present; }));
    EXPECT_TRUE(box.wait_for<FlowSignal>([](const FlowSignal& s) { return !s.present; }));
  });
}

TEST(BoxDataPlane, ARemovedFlowLeavesAndAnExchangedSocketGoesOn) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    box.post(one.session());
    box.carry();
    box.show({one.id()});
    provider.send(numbered(1));
    const auto before = one.receive(1);
    box.carry();  // the same flow on a new socket
    box.post(datapath::SendInner{one.id(), *from_hex("000088b50101000000010000")});
    (void)one.receive(1);
    provider.send(numbered(2));
    auto both = before;
    for (auto& packet : one.receive(1)) {
      both.push_back(std::move(packet));
    }
    EXPECT_EQ(payloads(both), (std::vector<Buffer>{numbered(1), numbered(2)})) << "the numbers go on";
    box.post(RemoveFlow{FlowId{1}});
    const auto report =
        box.wait_for<StatisticsReady>([](const StatisticsReady& r) { return r.statistics->flows.empty(); });
    EXPECT_TRUE(report);
  });
}

}  // namespace
}  // namespace hearthcast::forward
