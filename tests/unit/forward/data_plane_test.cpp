// The data thread with real sockets: multicast on a loopback of its own in, DTLS records out.
#include "appliance/forward/data_plane.hpp"

#include <gmock/gmock.h>

#include "tests/unit/datapath/device_in_test.hpp"
#include "tests/unit/forward/box_in_test.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"

namespace hearthcast::forward {
namespace {

using Device = datapath::DeviceInTest;
using datapath::kLoopback;

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
