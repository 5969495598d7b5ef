// What the box's data thread remembers for its viewers: packets asked for again, and what came before a late
// joiner. Real sockets, as in data_plane_test.cpp.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/unit/datapath/device_in_test.hpp"
#include "tests/unit/forward/box_in_test.hpp"
#include "tests/unit/playout/ts_maker.hpp"
#include "tunnelmgr/tunnel/compact_receiver.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/quick_packet.hpp"

namespace hearthcast::forward {
namespace {

using Device = datapath::DeviceInTest;
using testing::ElementsAre;

std::uint32_t sequence_of(const Buffer& gre) {
  const auto inner = tunnel::decode_inner_packet(gre);
  return inner ? inner->sequence : UINT32_MAX;
}

std::vector<std::uint32_t> sequences_of(const std::vector<Buffer>& packets) {
  std::vector<std::uint32_t> out;
  out.reserve(packets.size());
  for (const auto& packet : packets) {
    out.push_back(sequence_of(packet));
  }
  return out;
}

void ask(Device& device, const Box& box, std::initializer_list<tunnel::SequenceRange> ranges,
         std::uint32_t flow = 1) {
  tunnel::Nack nack(flow);
  for (const auto& range : ranges) {
    ASSERT_TRUE(nack.add(range));
  }
  tunnel::QuickRoom room;
  device.send(box.endpoint(), tunnel::encode(nack, room));
}

std::optional<ViewerCounters> counters_of(Box& box, PeerId peer, std::uint64_t nacks) {
  std::optional<ViewerCounters> found;
  (void)box.wait_for<StatisticsReady>([&](const StatisticsReady& r) {
    for (const auto& viewer : r.statistics->viewers) {
      if (viewer.peer == peer && viewer.repair.nacks >= nacks) {
        found = viewer;
      }
    }
    return found.has_value();
  });
  return found;
}

TEST(BoxRepair, WhatIsAskedForComesAgainAsItWasToWhoAskedOnly) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    Device two(2);
    for (auto* device : {&one, &two}) {
      box.post(device->session());
      box.post(SetMemory{device->id(), true, false});
    }
    box.carry();
    box.show({one.id(), two.id()});
    for (int n = 0; n < 40; ++n) {
      provider.send(numbered(n));
    }
    const auto live = one.receive(40);
    ASSERT_EQ(live.size(), 40U);
    ASSERT_EQ(two.receive(40).size(), 40U);
    ask(one, box, {{3, 1}, {10, 3}});
    const auto again = one.receive(4);
    EXPECT_THAT(again, ElementsAre(live[3], live[10], live[11], live[12])) << "octet for octet";
    // Numbers that were never sent, and another flow's, bring nothing.
    ask(one, box, {{4000, 20}});
    ask(one, box, {{3, 1}}, 7);
    const auto counted = counters_of(box, one.id(), 2);
    ASSERT_TRUE(counted);
    EXPECT_EQ(counted->repair.nacks, 2U);
    EXPECT_EQ(counted->repair.asked, 24U);
    EXPECT_EQ(counted->repair.sent, 4U);
    EXPECT_EQ(counted->repair.gone, 20U);
    EXPECT_EQ(counted->packets, 44U);
    provider.send(numbered(40));
    EXPECT_THAT(sequences_of(two.receive(1)), ElementsAre(40U)) << "nobody else gets what one asks for";
  });
}

TEST(BoxRepair, WhoDoesNotListItOrDoesNotWatchGetsNothing) {
  in_network([] {
    Provider provider;
    Box box;
    Device plain(1);
    Device stranger(2);
    box.post(plain.session());
    box.post(stranger.session());
    box.post(SetMemory{stranger.id(), true, true});
    box.post(SetMemory{PeerId{77}, true, true});  // nobody
    box.carry();
    box.show({plain.id()});
    for (int n = 0; n < 3; ++n) {
      provider.send(numbered(n));
    }
    ASSERT_EQ(plain.receive(3).size(), 3U);
    ask(plain, box, {{0, 3}});
    ask(stranger, box, {{0, 3}});
    Buffer cut{0, 0, 0x88, 0xB5, 1, 2, 0, 0, 0, 1};  // a NACK without ranges
    stranger.send(box.endpoint(), cut);
    ASSERT_TRUE(box.wait_for<StatisticsReady>(
        [](const StatisticsReady& r) { return r.statistics->port.malformed == 2; }));
    box.post(datapath::RemoveSession{stranger.id()});
    EXPECT_TRUE(stranger.closed());
    EXPECT_TRUE(stranger.receive(0).empty()) << "nothing but the goodbye came";
    provider.send(numbered(3));
    EXPECT_THAT(sequences_of(plain.receive(1)), ElementsAre(3U));
  });
}

// It stays in GRE, and what it is owed stays owed, when its path is found to be larger, but not large enough.
TEST(BoxRepair, WhoIsInGreForItsNarrowPathKeepsWhatItIsOwed) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    box.post(one.session());
    box.post(SetForm{one.id(), tunnel::Form::kAyiya});
    box.post(SetMemory{one.id(), true, false});
    box.post(SetFrameLimit{one.id(), 1300});
    box.carry();
    box.show({one.id()});
    provider.send(Buffer(1316, 1));
    ASSERT_FALSE(one.receive(1).empty());
    box.post(SetFrameLimit{one.id(), 1310});
    ask(one, box, {{0, 1}});
    const auto counted = counters_of(box, one.id(), 1);
    ASSERT_TRUE(counted);
    EXPECT_EQ(counted->repair.sent, 1U);
  });
}

TEST(BoxRepair, WhoAskedForAFormWithoutNumbersGetsNothingFromThePast) {
  in_network([] {
    Provider provider;
    Box box;
    Device first(1);
    Device bare(2);
    box.post(first.session());
    box.post(bare.session());
    box.post(SetForm{bare.id(), tunnel::Form::kSixInFour});
    box.post(SetMemory{bare.id(), true, true});
    box.carry();
    box.show({first.id()});
    playout::TsMaker ts;
    provider.send(playout::joined({ts.table(), ts.picture(true)}));
    ASSERT_EQ(first.receive(1).size(), 1U);
    box.show({first.id(), bare.id()});
    ask(bare, box, {{0, 1}});
    ASSERT_TRUE(counters_of(box, bare.id(), 1));
    provider.send(numbered(7));
    const auto got = bare.receive(1);
    ASSERT_EQ(got.size(), 1U) << "no prelude before it";
    EXPECT_FALSE(tunnel::decode_inner_packet(got[0]));
    ask(bare, box, {{0, 1}});
    const auto counters = counters_of(box, bare.id(), 2);
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->repair.sent, 0U);
    EXPECT_EQ(counters->repair.prelude, 0U);
  });
}

// The same packets, in the form that the path carries now.
TEST(BoxRepair, OnANarrowPathAPacketComesAgainInFragments) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    box.post(one.session());
    box.post(SetMemory{one.id(), true, false});
    box.carry();
    box.show({one.id()});
    for (int n = 0; n < 20; ++n) {
      provider.send(numbered(n));
    }
    ASSERT_EQ(one.receive(20).size(), 20U);
    box.post(SetFrameLimit{one.id(), 1000});  // the path has shrunk since
    ask(one, box, {{5, 2}});
    const auto again = one.receive(4);
    ASSERT_THAT(sequences_of(again), ElementsAre(5U, 5U, 6U, 6U));
    tunnel::CompactReceiver receiver;
    std::vector<Buffer> payloads;
    for (const auto& packet : again) {
      EXPECT_LE(packet.size(), 1000U);
      const auto inner = tunnel::decode_inner_packet(packet);
      ASSERT_TRUE(inner && inner->kind == tunnel::InnerKind::kCompact);
      if (const auto media = receiver.on_packet(*inner)) {
        payloads.emplace_back(media->frame.payload.begin(), media->frame.payload.end());
      }
    }
    EXPECT_THAT(payloads, ElementsAre(numbered(5), numbered(6)));
  });
}

TEST(BoxRepair, AMarkOfTheInnerHeaderIsCopiedOutwardAgain) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    box.post(one.session());
    box.post(SetMemory{one.id(), true, false});
    box.carry();
    box.show({one.id()});
    for (const int traffic_class : {0x88, 0x8A, 0x8A, 0x01}) {
      provider.set_traffic_class(traffic_class);
      provider.send(numbered(traffic_class));
    }
    ASSERT_EQ(one.receive(4).size(), 4U);
    ask(one, box, {{0, 4}});
    EXPECT_THAT(sequences_of(one.receive(4)), ElementsAre(0U, 1U, 2U, 3U));
    EXPECT_THAT(one.marks(), ElementsAre(0, 2, 2, 1, 0, 2, 2, 1));
  });
}

// The second viewer begins at the table before the last picture, and what is live has later numbers.
TEST(BoxRepair, ALateJoinerGetsWhatCameSinceTheLastPicture) {
  in_network([] {
    Provider provider;
    Box box;
    Device early(1);
    Device late(2);
    Device plain(3);
    playout::TsMaker ts;
    for (auto* device : {&early, &late, &plain}) {
      box.post(device->session());
    }
    box.post(SetMemory{late.id(), true, true});
    box.carry();
    box.show({early.id()});
    const std::vector<Buffer> sent{
        playout::joined({ts.table(), ts.picture(true)}), playout::joined({ts.more(), ts.more()}),
        playout::joined({ts.table(), ts.picture(true)}), playout::joined({ts.more(), ts.sound()})};
    for (const auto& payload : sent) {
      provider.send(payload);
    }
    const auto first = early.receive(4);
    ASSERT_EQ(first.size(), 4U);
    box.show({early.id(), late.id(), plain.id()});
    const auto past = late.receive(3);
    ASSERT_EQ(past.size(), 3U);
    const auto control = tunnel::decode_inner_packet(past[0]);
    ASSERT_TRUE(control && control->kind == tunnel::InnerKind::kControl);
    const auto prelude = tunnel::decode_prelude(control->payload);
    ASSERT_TRUE(prelude);
    EXPECT_EQ(*prelude, (tunnel::Prelude{1, 2, 2}));
    EXPECT_EQ(past[1], first[2]);
    EXPECT_EQ(past[2], first[3]);
    provider.send(numbered(1));
    EXPECT_THAT(sequences_of(late.receive(1)), ElementsAre(4U));
    EXPECT_THAT(sequences_of(plain.receive(1)), ElementsAre(4U)) << "it does not list the prelude";
    EXPECT_THAT(sequences_of(early.receive(1)), ElementsAre(4U));
  });
}

// On a path that carries no full datagram the first of a prelude names the addresses.
TEST(BoxRepair, APreludeOnANarrowPathCanBeUnderstoodFromItsFirstPacket) {
  in_network([] {
    Provider provider;
    Box box;
    Device early(1);
    Device late(2);
    playout::TsMaker ts;
    box.post(early.session());
    box.post(late.session());
    box.post(SetMemory{late.id(), true, true});
    box.post(SetFrameLimit{late.id(), 410});  // the full form has 416 octets
    box.carry();
    box.show({early.id()});
    provider.send(playout::joined({ts.more(), ts.more()}));
    provider.send(playout::joined({ts.table(), ts.picture(true)}));
    provider.send(playout::joined({ts.more(), ts.more()}));
    ASSERT_EQ(early.receive(3).size(), 3U);
    box.show({early.id(), late.id()});
    const auto past = late.receive(4);
    ASSERT_EQ(past.size(), 4U) << "the announcement, two fragments, and one in one piece";
    EXPECT_THAT(sequences_of({past.begin() + 1, past.end()}), ElementsAre(1U, 1U, 2U));
    tunnel::CompactReceiver receiver;
    std::size_t whole = 0;
    for (std::size_t n = 1; n < past.size(); ++n) {
      whole += receiver.on_packet(*tunnel::decode_inner_packet(past[n])) ? 1 : 0;
    }
    EXPECT_EQ(whole, 2U);
    EXPECT_EQ(receiver.unknown(), 0U);
  });
}

// After a break in the channel nobody is sent what came before it.
TEST(BoxRepair, NothingIsRememberedWhileNobodyWatches) {
  in_network([] {
    Provider provider;
    Box box;
    Device one(1);
    Device two(2);
    playout::TsMaker ts;
    box.post(one.session());
    box.post(two.session());
    box.post(SetMemory{two.id(), true, true});
    box.carry();
    box.show({one.id()});
    provider.send(playout::joined({ts.table(), ts.picture(true)}));
    ASSERT_EQ(one.receive(1).size(), 1U);
    box.show({});
    provider.send(playout::joined({ts.more(), ts.more()}));
    ASSERT_TRUE(box.wait_for<StatisticsReady>([](const StatisticsReady& r) {
      return !r.statistics->flows.empty() && r.statistics->flows[0].packets == 2;
    }));
    box.show({two.id()});
    provider.send(playout::joined({ts.more(), ts.more()}));
    EXPECT_THAT(sequences_of(two.receive(1)), ElementsAre(1U)) << "no prelude: it is not whole";
    ask(two, box, {{0, 1}});
    const auto counted = counters_of(box, two.id(), 1);
    ASSERT_TRUE(counted);
    EXPECT_EQ(counted->repair.sent, 0U);
    EXPECT_EQ(counted->repair.gone, 1U);
  });
}

}  // namespace
}  // namespace hearthcast::forward
