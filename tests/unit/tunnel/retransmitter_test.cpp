#include "tunnelmgr/tunnel/retransmitter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace hearthcast::tunnel {
namespace {

constexpr std::size_t kSize = 1000;

// A flow with numbered packets and one viewer of it.
struct RetransmitterTest : testing::Test {
  void live(std::uint32_t packets, std::size_t size = kSize) {
    for (std::uint32_t n = 0; n < packets; ++n) {
      const auto room = ring.room(size);
      Buffer number;
      Writer(number).u32(next);
      std::copy(number.begin(), number.end(), room.begin());
      ring.commit(next++, room);
      viewer.on_live(size);
    }
  }
  void ask(std::initializer_list<SequenceRange> ranges) {
    Nack nack(1);
    for (const auto& range : ranges) {
      ASSERT_TRUE(nack.add(range));
    }
    viewer.on_nack(nack, ring);
  }
  // The numbers of what goes now.
  std::vector<std::uint32_t> take(std::size_t most = 47) {
    std::vector<Bytes> out(most);
    out.resize(viewer.take(ring, out));
    std::vector<std::uint32_t> numbers;
    for (const auto& packet : out) {
      EXPECT_EQ(packet.size(), kSize);
      numbers.push_back(Reader(packet).u32());
    }
    return numbers;
  }

  RepairRing ring;
  Retransmitter viewer;
  std::uint32_t next = 0;
};

using Numbers = std::vector<std::uint32_t>;

TEST_F(RetransmitterTest, SendsWhatWasAskedForOldestFirstAndOnce) {
  live(50);
  EXPECT_FALSE(viewer.owes());
  ask({{20, 3}, {7, 1}});
  ask({{21, 3}});  // two of them are waiting already
  EXPECT_TRUE(viewer.owes());
  EXPECT_EQ(take(), (Numbers{7, 20, 21, 22, 23}));
  EXPECT_FALSE(viewer.owes());
  EXPECT_EQ(take(), Numbers{});
  const auto& counters = viewer.counters();
  EXPECT_EQ(counters.nacks, 2U);
  EXPECT_EQ(counters.asked, 7U);
  EXPECT_EQ(counters.sent, 5U);
  EXPECT_EQ(counters.octets, 5 * kSize);
  ask({{7, 1}});  // lost again
  EXPECT_EQ(take(), (Numbers{7}));
}

TEST_F(RetransmitterTest, WhatIsNotThereIsCountedAndCostsNothing) {
  next = 10'000;
  live(10);
  ask({{0, 65535}, {9'990, 20}, {10'010, 5}, {0x90000000, 65535}});
  EXPECT_EQ(viewer.counters().gone, 65535U - 10U + 10U + 5U + 65535U);
  EXPECT_EQ(take().size(), 10U);
}

// A few hundred octets can name the whole ring many times over.
TEST_F(RetransmitterTest, WhatADeviceMakesTheSenderLookAtIsBounded) {
  live(kRepairRingPackets, 100);
  const SequenceRange all{0, static_cast<std::uint16_t>(kRepairRingPackets)};
  ask({all, all, all});
  EXPECT_EQ(viewer.counters().asked, 3 * kRepairRingPackets);
  EXPECT_EQ(viewer.counters().refused, 2 * kRepairRingPackets);
  ask({{5, 1}});
  EXPECT_EQ(viewer.counters().refused, 2 * kRepairRingPackets + 1);
  viewer.on_live(10 * Retransmitter::kOctetsPerNumber);
  ask({{5, 20}});
  EXPECT_EQ(viewer.counters().refused, 2 * kRepairRingPackets + 11);
}

TEST_F(RetransmitterTest, NumbersWrap) {
  next = 0xFFFFFFF0;
  live(40);
  ask({{0xFFFFFFFE, 4}, {0xFFFFFFF2, 1}});
  EXPECT_EQ(take(), (Numbers{0xFFFFFFF2, 0xFFFFFFFE, 0xFFFFFFFF, 0, 1}));
}

TEST_F(RetransmitterTest, AfterAPauseOnlyABurstGoesAtOnceThenAsMuchAsLive) {
  live(200);
  ask({{0, 150}});
  EXPECT_EQ(take(100).size(), Retransmitter::kBurst / kSize);
  EXPECT_EQ(take(100).size(), 0U) << "nothing more without live traffic";
  for (int n = 0; n < 50; ++n) {
    live(1);
    EXPECT_EQ(take(100).size(), 1U) << "together twice the rate";
  }
}

// A thread that was kept from running sends what has piled up in one batch, and repairs beside it.
TEST_F(RetransmitterTest, ALargeLiveBatchCarriesAsMuchRepair) {
  live(200);
  (void)take(1000);
  viewer.on_live(45 * kSize);
  ask({{0, 100}});
  EXPECT_EQ(take(100).size(), 45U);
  EXPECT_EQ(take(100).size(), 0U);
  viewer.on_live(kSize);
  EXPECT_EQ(take(100).size(), 1U);
}

TEST_F(RetransmitterTest, NeverMoreThanItIsAllowedAtOnce) {
  live(100);
  ask({{0, 20}});
  EXPECT_EQ(take(5).size(), 5U);
  EXPECT_EQ(take(5).size(), 5U);
  EXPECT_EQ(take(47).size(), 10U);
}

TEST_F(RetransmitterTest, ADeviceThatAsksForEverythingGetsLessThanAFifth) {
  viewer.set_rate(1'000'000);
  std::uint64_t sent = 0;
  constexpr std::uint32_t kLive = 100'000;
  for (std::uint32_t n = 0; n < kLive; ++n) {
    live(1);
    ask({{n, 1}});
    if (n > 0) {
      ask({{n - 1, 1}});
    }
    sent += take().size();
  }
  // The share of what went, and once the savings: the one that it began with.
  EXPECT_LE(sent, kLive * Retransmitter::kBudgetPercent / 100 + 263);
  EXPECT_GE(sent, kLive * Retransmitter::kBudgetPercent / 100 - 1);
  EXPECT_GT(viewer.counters().refused, kLive / 2);
  EXPECT_EQ(viewer.counters().sent, sent);
}

TEST_F(RetransmitterTest, ASecondOfTheRateCanBeSavedAndNoMore) {
  viewer.set_rate(300'000);
  for (int n = 0; n < 40; ++n) {
    live(100);
  }
  // After a quiet time a long gap is repaired: a second of the rate at once, as quick as live traffic lets
  // it.
  ask({{next - 1000, 600}});
  std::size_t sent = take(1000).size();
  for (int n = 0; n < 600; ++n) {
    live(1);
    sent += take(1000).size();
  }
  EXPECT_GE(sent, 300U);
  EXPECT_LE(sent, 300U + 600U * Retransmitter::kBudgetPercent / 100);
}

TEST_F(RetransmitterTest, ASlowFlowHasLittleButNeverNothing) {
  viewer.set_rate(0);
  live(10);
  ask({{0, 10}});
  EXPECT_EQ(take().size(), 10U);
}

TEST_F(RetransmitterTest, ThePreludeComesInOrderBetweenLiveTrafficAndIsNoRepair) {
  live(300);
  viewer = {};  // somebody new
  viewer.begin_prelude(100, 200);
  Numbers got = take(100);
  EXPECT_EQ(got.size(), Retransmitter::kBurst / kSize);
  EXPECT_EQ(take(100).size(), 0U);
  while (viewer.owes()) {
    live(1);
    const auto more = take(100);
    ASSERT_EQ(more.size(), 1U);
    got.push_back(more[0]);
  }
  ASSERT_EQ(got.size(), 200U);
  for (std::uint32_t n = 0; n < 200; ++n) {
    EXPECT_EQ(got[n], 100 + n);
  }
  EXPECT_EQ(viewer.counters().prelude, 200U);
  EXPECT_EQ(viewer.counters().sent, 0U);
}

TEST_F(RetransmitterTest, ARepairGoesBeforeThePrelude) {
  live(300);
  viewer.begin_prelude(100, 100);
  ask({{280, 2}});
  EXPECT_EQ(take(4), (Numbers{280, 281, 100, 101}));
}

TEST_F(RetransmitterTest, APreludeThatTheRingOvertookIsSkipped) {
  live(10);
  viewer.begin_prelude(0, 8);
  live(kRepairRingPackets - 5);  // 0 to 4 are gone
  EXPECT_EQ(take(), (Numbers{5, 6, 7}));
  EXPECT_FALSE(viewer.owes());
}

TEST_F(RetransmitterTest, AWishThatTheRingOvertookIsForgottenNotMistakenForANewerPacket) {
  live(100);
  ask({{10, 5}});
  live(kRepairRingPackets);  // the same bits mean 4096 numbers later now
  EXPECT_EQ(take(), Numbers{});
  EXPECT_EQ(viewer.counters().gone, 5U);
  EXPECT_FALSE(viewer.owes());
  ask({{next - 1, 1}});
  EXPECT_EQ(take(), (Numbers{next - 1}));
}

TEST_F(RetransmitterTest, ARingThatWasClearedOwesNothing) {
  live(100);
  ask({{10, 5}});
  ring.clear();
  EXPECT_EQ(take(), Numbers{});
  EXPECT_FALSE(viewer.owes());
}

// Whatever is asked, nothing goes that was not asked for, nor twice for one asking.
TEST_F(RetransmitterTest, NeverMoreThanAsked) {
  std::map<std::uint32_t, int> asked;
  std::uint32_t random = 12345;
  for (int round = 0; round < 3000; ++round) {
    live(3);
    random = random * 1664525 + 1013904223;
    const std::uint32_t first = next - 1 - (random >> 8) % std::min(next, 5000U);
    const auto count = static_cast<std::uint16_t>(1 + (random >> 24) % 4);
    ask({{first, count}});
    for (std::uint32_t n = 0; n < count; ++n) {
      ++asked[first + n];
    }
    for (const auto number : take(2)) {
      ASSERT_GT(asked[number], 0) << number;
      asked[number] = 0;
    }
  }
  EXPECT_GT(viewer.counters().sent, 500U);
}

}  // namespace
}  // namespace hearthcast::tunnel
