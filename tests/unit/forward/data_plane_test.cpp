// The data thread with real sockets: multicast on a loopback of its own in, DTLS records out.
#include "appliance/forward/data_plane.hpp"

#include <gmock/gmock.h>

#include <set>

#include "tests/unit/datapath/device_in_test.hpp"
#include "tests/unit/forward/box_in_test.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/tunnel/compact_receiver.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/unnumbered_receiver.hpp"

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

// What a viewer on a narrow path gets, put together again.
std::vector<Buffer> put_together(const std::vector<Buffer>& received, std::set<tunnel::MediaForm>& forms) {
  tunnel::CompactReceiver receiver;
  std::vector<Buffer> result;
  for (const auto& gre : received) {
    const auto inner = tunnel::decode_inner_packet(gre);
    if (inner && inner->kind == tunnel::InnerKind::kMedia) {
      const auto media = tunnel::decode_media(*inner);
      result.emplace_back(media->payload.begin(), media->payload.end());
      forms.insert(tunnel::MediaForm::kFull);
    } else if (const auto media = receiver.on_packet(*inner)) {
      EXPECT_EQ(media->frame.header.destination, (Endpoint{kFlow.group, kFlow.port}));
      EXPECT_EQ(media->frame.header.source.address, kLoopback);
      EXPECT_EQ(media->frame.header.hop_limit, 15);
      EXPECT_EQ(media->frame.sequence, result.size());
      result.emplace_back(media->frame.payload.begin(), media->frame.payload.end());
      forms.insert(media->form);
    }
  }
  return result;
}

TEST(BoxDataPlane, Row41_EachViewerGetsTheFormThatItsPathCarries) {
  in_network([] {
    Provider provider;
    Box box;
    Device wide(1);
    Device narrow(2);
    Device very_narrow(3);
    for (auto* device : {&wide, &narrow, &very_narrow}) {
      box.post(device->session());
    }
    box.post(SetFrameLimit{narrow.id(), 1340});  // the full form has 1356 octets, one piece 1336
    box.post(SetFrameLimit{very_narrow.id(), 1000});
    box.post(SetFrameLimit{PeerId{77}, 1000});  // nobody
    box.carry();
    box.show({wide.id(), narrow.id(), very_narrow.id()});
    provider.send(numbered(0));
    ASSERT_TRUE(box.wait_for<FlowSignal>());
    std::vector<Buffer> sent{numbered(0)};
    for (int n = 1; n < 100; ++n) {
      sent.push_back(numbered(n));
      provider.send(sent.back());
    }
    EXPECT_EQ(payloads(wide.receive(100)), sent);
    // The narrow path's packets are more than its datagrams by those that tell the addresses.
    const auto report = box.wait_for<StatisticsReady>([](const StatisticsReady& r) {
      return !r.statistics->flows.empty() && r.statistics->flows[0].packets == 100;
    });
    ASSERT_TRUE(report);
    ASSERT_EQ(report->statistics->viewers.size(), 3U);
    for (const auto& viewer : report->statistics->viewers) {
      std::set<tunnel::MediaForm> forms;
      auto* device = viewer.peer == narrow.id() ? &narrow : &very_narrow;
      if (viewer.peer == wide.id()) {
        EXPECT_EQ(viewer.form, tunnel::MediaForm::kFull);
        continue;
      }
      const auto packets = device->receive(viewer.packets);
      EXPECT_EQ(put_together(packets, forms), sent);
      EXPECT_FALSE(forms.contains(tunnel::MediaForm::kFull));
      EXPECT_EQ(viewer.drops, 0U);
      if (device == &narrow) {
        EXPECT_EQ(forms.size(), 2U);
        EXPECT_LT(viewer.packets, 130U);
        EXPECT_EQ(viewer.form, tunnel::MediaForm::kCompact);
      } else {
        EXPECT_EQ(viewer.packets, 200U);
        EXPECT_EQ(viewer.form, tunnel::MediaForm::kFragments);
      }
    }
  });
}

// What a viewer gets that asked for such a form, and how often it changed between it and GRE.
std::vector<Buffer> taken(const std::vector<Buffer>& received, tunnel::Form form, int& turns) {
  tunnel::UnnumberedReceiver unnumbered;
  tunnel::CompactReceiver compact;
  unnumbered.expect(form);
  std::vector<Buffer> result;
  bool in_gre = false;
  for (const auto& record : received) {
    const auto inner = tunnel::decode_inner_packet(record);
    if (inner.has_value() != in_gre) {
      in_gre = inner.has_value();
      ++turns;
    }
    if (const auto media = unnumbered.on_record(record)) {
      result.emplace_back(media->payload.begin(), media->payload.end());
    } else if (inner->kind == tunnel::InnerKind::kMedia) {
      const auto full = tunnel::decode_media(*inner);
      result.emplace_back(full->payload.begin(), full->payload.end());
    } else if (const auto put_together = compact.on_packet(*inner)) {
      result.emplace_back(put_together->frame.payload.begin(), put_together->frame.payload.end());
    }
  }
  return result;
}

TEST(BoxDataPlane, EachViewerGetsTheEncapsulationThatItAskedFor) {
  in_network([] {
    Provider provider;
    Box box;
    Device gre(1);
    Device bare(2);
    Device ayiya(3);
    for (auto* device : {&gre, &bare, &ayiya}) {
      box.post(device->session());
    }
    box.post(SetForm{bare.id(), tunnel::Form::kSixInFour});
    box.post(SetForm{ayiya.id(), tunnel::Form::kAyiya});
    box.post(SetForm{PeerId{77}, tunnel::Form::kAyiya});  // nobody
    box.carry();
    box.show({gre.id(), bare.id(), ayiya.id()});
    std::vector<Buffer> sent;
    for (int n = 0; n < 100; ++n) {
      sent.push_back(numbered(n));
      provider.send(sent.back());
    }
    EXPECT_EQ(payloads(gre.receive(100)), sent);
    int turns = 0;
    EXPECT_EQ(taken(bare.receive(100), tunnel::Form::kSixInFour, turns), sent);
    EXPECT_EQ(taken(ayiya.receive(100), tunnel::Form::kAyiya, turns), sent);
    EXPECT_EQ(turns, 0);
    const auto report = box.wait_for<StatisticsReady>([](const StatisticsReady& r) {
      return !r.statistics->flows.empty() && r.statistics->flows[0].packets == 100;
    });
    ASSERT_TRUE(report);
    ASSERT_EQ(report->statistics->viewers.size(), 3U);
    EXPECT_EQ(report->statistics->viewers[0].form, tunnel::MediaForm::kFull);
    EXPECT_EQ(report->statistics->viewers[1].form, tunnel::MediaForm::kSixInFour);
    EXPECT_EQ(report->statistics->viewers[2].form, tunnel::MediaForm::kAyiya);
  });
}

TEST(BoxDataPlane, WhereItDoesNotFitAllGoInGreUntilThePathCarriesMore) {
  in_network([] {
    constexpr std::size_t kWhole = 20 + 8 + 1316;
    Provider provider;
    Box box;
    Device bare(1);
    box.post(bare.session());
    box.post(SetForm{bare.id(), tunnel::Form::kSixInFour});
    box.post(SetMemory{bare.id(), true, true});
    box.carry();
    box.show({bare.id()});
    std::vector<Buffer> sent;
    std::vector<Buffer> received;
    std::vector<Buffer> got;
    int turns = 0;
    int number = 0;
    for (const std::size_t limit : {kWhole, kWhole - 1, kWhole}) {
      box.post(SetFrameLimit{bare.id(), limit});
      for (int n = 0; n < 20; ++n) {
        // Small ones fit every path, and go as the others do: a flow is not mixed.
        sent.push_back(n % 2 == 0 ? numbered(number++) : Buffer(188, static_cast<std::uint8_t>(number++)));
        provider.send(sent.back());
      }
      while (got.size() < sent.size()) {
        const auto more = bare.receive(1);
        ASSERT_FALSE(more.empty()) << "after " << got.size();
        received.insert(received.end(), more.begin(), more.end());
        turns = 0;
        got = taken(received, tunnel::Form::kSixInFour, turns);
      }
    }
    EXPECT_EQ(got, sent);
    EXPECT_EQ(turns, 2);
  });
}

TEST(BoxDataPlane, ASizeThatTheInterfaceRefusesIsTold) {
  if (!linux::in_private_network(1400, [] {
        auto box = std::make_unique<datapath::PlaneInTest<DataPlane>>(
            linux::UdpSocket::open({.probe_path_size = true}).value());
        Device one(1);
        box->post(one.session());
        Buffer large(1380, 0);
        large[2] = 0x88;
        large[3] = 0xb5;
        box->post(datapath::SendInner{one.id(), large});
        const auto refused = box->wait_for<SizeRefused>();
        ASSERT_TRUE(refused);
        EXPECT_EQ(refused->peer, one.id());
        EXPECT_EQ(refused->datagram, 1380U + 37);
      })) {
    GTEST_SKIP() << "needs root: a network namespace of its own";
  }
}

TEST(BoxDataPlane, TheMarkOfCongestionIsCopiedOutward) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    box.post(one.session());
    box.carry();
    box.show({one.id()});
    std::vector<std::uint8_t> expected;
    for (const int traffic_class : {0x88, 0x8A, 0x8B, 0x01, 0x00}) {
      provider.set_traffic_class(traffic_class);
      provider.send(numbered(traffic_class));
      expected.push_back(static_cast<std::uint8_t>(traffic_class & 3));
    }
    EXPECT_EQ(payloads(one.receive(5)).size(), 5U);
    EXPECT_EQ(one.marks(), expected);
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
  EXPECT_TRUE(box.wait_for<StatisticsReady>(
      [](const StatisticsReady& r) { return r.statistics->port.malformed == 1; }));
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
