#include "tunnelmgr/tunnel/compact_receiver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::tunnel {
namespace {

const Endpoint kSource = *Endpoint::parse("[2001:db8::1]:5000");
const Endpoint kGroup = *Endpoint::parse("[ff3e::8000:1]:5004");

// One flow's sender: makes the packets of numbered datagrams.
class Sender {
 public:
  explicit Sender(int flow) : framer_(FlowId{flow}, kGroup) {}
  std::vector<Buffer> packets(MediaForm form, Bytes payload) {
    Buffer slot(kFrameHeadroom);
    slot.insert(slot.end(), payload.begin(), payload.end());
    const auto frame = framer_.frame(slot, {kSource, 64, 0x29});
    Buffer room(kCompactRoom);
    const auto made = to_compact(*frame, form, room);
    std::vector<Buffer> all;
    for (std::size_t i = 0; i < made->count; ++i) {
      all.emplace_back(made->packets[i].begin(), made->packets[i].end());
    }
    return all;
  }

 private:
  FlowFramer framer_;
};

Buffer payload_of(std::uint32_t number, std::size_t size = 1316) {
  Buffer payload(size, static_cast<std::uint8_t>(number));
  payload[0] = static_cast<std::uint8_t>(number >> 8);
  return payload;
}

std::optional<MediaFrame> give(CompactReceiver& receiver, Bytes gre) {
  const auto inner = decode_inner_packet(gre);
  EXPECT_TRUE(inner);
  const auto media = receiver.on_packet(*inner);
  return media ? std::optional(media->frame) : std::nullopt;
}

TEST(CompactReceiver, BothOrdersOfFragmentsGiveTheDatagram) {
  Sender sender(3);
  CompactReceiver receiver;
  std::uint32_t number = 0;
  for (const bool reversed : {false, true, false, true}) {
    auto packets = sender.packets(MediaForm::kFragments, payload_of(number));
    if (reversed) {
      std::ranges::reverse(packets);
    }
    EXPECT_FALSE(give(receiver, packets[0]));
    const auto media = give(receiver, packets[1]);
    ASSERT_TRUE(media);
    EXPECT_EQ(media->flow, FlowId{3});
    EXPECT_EQ(media->sequence, number);
    EXPECT_EQ(media->header.source, kSource);
    EXPECT_EQ(media->header.destination, kGroup);
    EXPECT_EQ(media->header.hop_limit, 63);
    EXPECT_EQ(media->header.traffic_class, 0x29);
    EXPECT_TRUE(equal(media->payload, payload_of(number)));
    ++number;
  }
  EXPECT_EQ(receiver.incomplete(), 0U);
}

TEST(CompactReceiver, OnePieceNeedsAddressesThatFragmentsTold) {
  Sender sender(3);
  CompactReceiver receiver;
  EXPECT_FALSE(give(receiver, sender.packets(MediaForm::kCompact, payload_of(0))[0]));
  EXPECT_EQ(receiver.unknown(), 1U);
  for (const auto& packet : sender.packets(MediaForm::kFragments, payload_of(1))) {
    (void)give(receiver, packet);
  }
  const auto packet = sender.packets(MediaForm::kCompact, payload_of(2))[0];
  const auto media = give(receiver, packet);
  ASSERT_TRUE(media);
  EXPECT_EQ(media->header.source, kSource);
  EXPECT_TRUE(equal(media->payload, payload_of(2)));
  receiver.reset();
  EXPECT_FALSE(give(receiver, packet)) << "another session, other numbers";
}

TEST(CompactReceiver, SaysInWhichFormADatagramCame) {
  Sender sender(3);
  CompactReceiver receiver;
  const auto form = [&](const Buffer& gre) {
    const auto media = receiver.on_packet(*decode_inner_packet(gre));
    return media ? std::optional(media->form) : std::nullopt;
  };
  const auto fragments = sender.packets(MediaForm::kFragments, payload_of(0));
  EXPECT_EQ(form(fragments[0]), std::nullopt);
  EXPECT_EQ(form(fragments[1]), MediaForm::kFragments);
  EXPECT_EQ(form(sender.packets(MediaForm::kCompact, payload_of(1))[0]), MediaForm::kCompact);
}

TEST(CompactReceiver, TheFirstFragmentAloneTellsTheAddresses) {
  Sender sender(3);
  CompactReceiver receiver;
  EXPECT_FALSE(give(receiver, sender.packets(MediaForm::kFragments, payload_of(0))[0]));
  EXPECT_TRUE(give(receiver, sender.packets(MediaForm::kCompact, payload_of(1))[0]));
}

TEST(CompactReceiver, ALostFragmentCostsItsDatagramAndIsCountedWhenTheSlotIsNeeded) {
  Sender sender(3);
  CompactReceiver receiver;
  EXPECT_FALSE(give(receiver, sender.packets(MediaForm::kFragments, payload_of(0))[1]));
  for (std::uint32_t n = 1; n <= CompactReceiver::kSlots; ++n) {
    const auto packets = sender.packets(MediaForm::kFragments, payload_of(n));
    EXPECT_FALSE(give(receiver, packets[0]));
    EXPECT_EQ(receiver.incomplete(), n == CompactReceiver::kSlots ? 1U : 0U) << n;
    const auto media = give(receiver, packets[1]);
    ASSERT_TRUE(media) << n;
    EXPECT_TRUE(equal(media->payload, payload_of(n)));
  }
}

TEST(CompactReceiver, ARepeatedFragmentIsNoSecondHalf) {
  Sender sender(3);
  CompactReceiver receiver;
  const auto packets = sender.packets(MediaForm::kFragments, payload_of(0));
  for (int n = 0; n < 3; ++n) {
    EXPECT_FALSE(give(receiver, packets[0]));
  }
  EXPECT_TRUE(give(receiver, packets[1]));
  EXPECT_FALSE(give(receiver, packets[1])) << "it is over";
  EXPECT_TRUE(give(receiver, packets[0])) << "sent again as a whole";
}

TEST(CompactReceiver, WhatIsTogetherTooLargeIsRefused) {
  CompactReceiver receiver;
  Buffer first = *from_hex("300088b6000000010000000004d2138c280f00020800c0000201ef010102");
  Buffer second = *from_hex("300088b6000000010000000004d2138c280f0102");
  first.resize(first.size() + 1000, 1);
  second.resize(second.size() + 1000, 2);
  EXPECT_FALSE(give(receiver, first));
  EXPECT_FALSE(give(receiver, second));
  EXPECT_EQ(receiver.malformed(), 1U);
  EXPECT_FALSE(give(receiver, *from_hex("300088b6000000010000000004d2138c280f0909")));
  EXPECT_EQ(receiver.malformed(), 2U);
}

TEST(CompactReceiver, NoMoreFlowsAreRememberedThanAllowed) {
  CompactReceiver receiver;
  Sender watched(1);
  Sender left(2);
  for (Sender* sender : {&watched, &left}) {
    (void)give(receiver, sender->packets(MediaForm::kFragments, payload_of(0))[0]);
  }
  // Channels that begin anew, each with a number of its own.
  for (std::size_t flow = 3; flow <= CompactReceiver::kMaxFlows + 1; ++flow) {
    Sender sender(static_cast<int>(flow));
    (void)give(receiver, sender.packets(MediaForm::kFragments, payload_of(0))[0]);
    EXPECT_TRUE(give(receiver, sender.packets(MediaForm::kCompact, payload_of(1))[0])) << flow;
    EXPECT_TRUE(give(receiver, watched.packets(MediaForm::kCompact, payload_of(1))[0])) << flow;
  }
  EXPECT_EQ(receiver.unknown(), 0U);
  EXPECT_FALSE(give(receiver, left.packets(MediaForm::kCompact, payload_of(1))[0])) << "silent for longest";
  EXPECT_EQ(receiver.unknown(), 1U);
}

// Several flows, forms that change, loss, repetition and reordering: what comes out is what went in, once or
// again, and what lost nothing comes out.
TEST(CompactReceiver, ADisorderedTunnelGivesOnlyWhatWasSent) {
  std::mt19937 generator(20261128);
  const auto chance = [&](int percent) { return static_cast<int>(generator() % 100) < percent; };
  std::vector<Sender> senders{Sender(1), Sender(2), Sender(3)};
  std::array<std::uint32_t, 3> sent{};
  std::size_t whole = 0;
  std::size_t expected = 0;
  CompactReceiver receiver;
  std::vector<Buffer> wire;
  for (int n = 0; n < 5'000; ++n) {
    const auto who = generator() % senders.size();
    const auto form = chance(60) ? MediaForm::kFragments : MediaForm::kCompact;
    const auto packets = senders[who].packets(form, payload_of(sent[who], 2 + generator() % 1400));
    ++sent[who];
    bool complete = true;
    for (const auto& packet : packets) {
      if (chance(5)) {
        complete = false;
        continue;
      }
      // Reordering over a few packets, as a network does it.
      const auto back = chance(10) ? generator() % std::min<std::size_t>(wire.size() + 1, 5) : 0;
      wire.insert(wire.end() - static_cast<std::ptrdiff_t>(back), packet);
      if (chance(2)) {
        wire.push_back(packet);
      }
    }
    expected += complete ? 1 : 0;
    while (wire.size() > 20 || (n == 4'999 && !wire.empty())) {
      if (const auto media = give(receiver, wire.front())) {
        ++whole;
        EXPECT_TRUE(equal(media->payload, payload_of(media->sequence, media->payload.size())));
      }
      wire.erase(wire.begin());
    }
  }
  // Two flows that need one slot in the same moment cost a datagram; that is rare.
  EXPECT_GE(whole + receiver.unknown(), expected - expected / 100);
  EXPECT_EQ(receiver.malformed(), 0U);
}

}  // namespace
}  // namespace hearthcast::tunnel
