#include "tunnelmgr/tunnel/repair_receiver.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/unit/tunnel/repair_receiver_in_test.hpp"

namespace hearthcast::tunnel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(RepairReceiverTest, WithoutLossEverythingGoesOnAtOnce) {
  for (std::uint32_t n = 0xFFFFFFFE; n != 5; ++n) {
    EXPECT_EQ(come(n), Arrival::kNext);
    ASSERT_THAT(taken(), ElementsAre(n));
    EXPECT_EQ(receiver.held(), 0U);
    EXPECT_EQ(receiver.next_deadline(), kNever);
    EXPECT_THAT(asks(), IsEmpty());
  }
  EXPECT_EQ(receiver.take_longest_hold(), Duration{});
  EXPECT_EQ(receiver.counters().received, 7U);
}

TEST_F(RepairReceiverTest, AGapIsAskedForAndFilledInOrder) {
  run(0, 10);
  (void)taken();
  EXPECT_EQ(come(12), Arrival::kGap);
  EXPECT_THAT(taken(), IsEmpty()) << "held behind the gap";
  EXPECT_THAT(asks(), IsEmpty()) << "it may be reordering";
  now += 3ms;
  EXPECT_THAT(asks(), ElementsAre(10, 11));
  EXPECT_THAT(asks(), IsEmpty());
  now += 60ms;
  EXPECT_EQ(come(11), Arrival::kLate);
  EXPECT_THAT(taken(), IsEmpty());
  EXPECT_EQ(come(10), Arrival::kLate);
  EXPECT_THAT(taken(), ElementsAre(10, 11, 12));
  EXPECT_EQ(receiver.held(), 0U);
  const auto& counters = receiver.counters();
  EXPECT_EQ(counters.repaired, 2U);
  EXPECT_EQ(counters.lost, 0U);
  EXPECT_EQ(counters.asked, 2U);
  EXPECT_EQ(counters.nacks, 1U);
  EXPECT_GE(receiver.take_longest_hold(), 63ms);
  EXPECT_EQ(receiver.take_longest_hold(), Duration{}) << "since the last time";
}

TEST_F(RepairReceiverTest, ReorderingWithinTheWaitIsNotAskedFor) {
  run(0, 10);
  (void)taken();
  (void)come(11);
  now += 2ms;
  EXPECT_THAT(asks(), IsEmpty());
  EXPECT_EQ(come(10), Arrival::kLate);
  EXPECT_THAT(taken(), ElementsAre(10, 11));
  now += 1s;
  EXPECT_THAT(asks(), IsEmpty());
  EXPECT_EQ(receiver.counters().reordered, 1U);
  EXPECT_EQ(receiver.counters().repaired, 0U);
}

TEST_F(RepairReceiverTest, AnAskIsRepeatedSoonerAndSooner) {
  receiver.hint_round_trip(50ms);
  run(0, 10);
  (void)come(11);
  std::vector<Duration> when;
  const Time start = now;
  while (now < start + 300ms) {
    now += 1ms;
    if (!asks().empty()) {
      when.push_back(now - start);
    }
  }
  ASSERT_GE(when.size(), 5U);
  EXPECT_LE(when[0], 4ms);
  EXPECT_GE(when[1] - when[0], 60ms) << "a round trip and a margin";
  EXPECT_LE(when[2] - when[1], (when[1] - when[0]) / 2 + 2ms) << "then it is urgent";
  EXPECT_EQ(receiver.counters().asked, when.size());
}

TEST_F(RepairReceiverTest, WhatDoesNotComeInTimeIsGivenUp) {
  run(0, 3);
  (void)taken();
  (void)come(4);
  const Time due = now + receiver.delay();
  now = due - 1ms;
  (void)asks();
  receiver.on_deadline(now, *this);
  EXPECT_THAT(taken(), IsEmpty());
  now = due + 1ms;
  receiver.on_deadline(now, *this);
  EXPECT_THAT(taken(), ElementsAre(4));
  EXPECT_EQ(receiver.counters().lost, 1U);
  EXPECT_EQ(come(3), Arrival::kDuplicate) << "too late";
  EXPECT_EQ(come(3), Arrival::kDuplicate);
  EXPECT_THAT(taken(), IsEmpty());
  EXPECT_EQ(receiver.counters().late, 1U);
  EXPECT_EQ(receiver.counters().duplicates, 1U);
  EXPECT_EQ(receiver.next_deadline(), kNever);
}

TEST_F(RepairReceiverTest, TheDeadlineIsThatOfTheNextAskOrOfTheOldestGap) {
  run(0, 3);
  (void)come(4);
  EXPECT_EQ(receiver.next_deadline(), now + 3ms);
  const Time seen = now;
  for (int n = 0; n < 100 && receiver.next_deadline() != kNever; ++n) {
    const Time next = receiver.next_deadline();
    ASSERT_GT(next, now);
    now = next;
    (void)asks();
    receiver.on_deadline(now, *this);
  }
  EXPECT_GE(now, seen + kLeastDelay);
  EXPECT_LE(now, seen + kMostDelay);
  EXPECT_EQ(receiver.counters().lost, 1U);
}

TEST_F(RepairReceiverTest, DuplicatesAreDropped) {
  run(0, 5);
  (void)taken();
  EXPECT_EQ(come(4), Arrival::kDuplicate);
  EXPECT_EQ(come(0), Arrival::kDuplicate);
  (void)come(7);
  EXPECT_EQ(come(7), Arrival::kDuplicate) << "held";
  EXPECT_THAT(taken(), IsEmpty());
  EXPECT_EQ(receiver.counters().duplicates, 3U);
  EXPECT_EQ(receiver.held(), 1U);
}

TEST_F(RepairReceiverTest, ASecondCopyAfterAnAskTellsThatTheFirstWasOnlyLate) {
  receiver.hint_round_trip(50ms);
  run(0, 10);
  (void)come(11);
  now += 3ms;
  EXPECT_THAT(asks(), ElementsAre(10));
  now += 47ms;
  (void)come(10);  // the packet itself, fifty milliseconds late
  now += 3ms;
  EXPECT_EQ(come(10), Arrival::kDuplicate);  // the answer
  EXPECT_GE(receiver.estimate().reorder_wait(), 50ms);
}

TEST_F(RepairReceiverTest, WithoutABoxThatRepairsOnlyReorderingIsWaitedFor) {
  receiver.set_repair(false);
  run(0, 3);
  (void)taken();
  (void)come(4);
  EXPECT_LE(receiver.delay(), 20ms);
  wait(receiver.delay());
  EXPECT_THAT(taken(), ElementsAre(4));
  EXPECT_THAT(asks(), IsEmpty());
  EXPECT_EQ(receiver.counters().lost, 1U);
}

TEST_F(RepairReceiverTest, AfterAnOutageTheRepairGetsTheTimeThatItTakes) {
  receiver.hint_round_trip(50ms);
  run(0, 100);
  (void)taken();
  now += 520ms;  // 400 packets
  (void)come(500);
  const Time seen = now;
  std::size_t most = 0;
  std::uint32_t live = 501;
  std::vector<std::pair<Time, std::uint32_t>> pending;
  // The box answers one packet for each that it sends live, a round trip later.
  while (receiver.counters().repaired < 400 && now < seen + 2s) {
    const auto asked = asks();
    for (const auto sequence : asked) {
      pending.emplace_back(now + 50ms, sequence);
    }
    most = std::max(most, asked.size());
    now += 1300us;
    (void)come(live++);
    if (!pending.empty() && pending.front().first <= now) {
      (void)come(pending.front().second);
      pending.erase(pending.begin());
    }
    receiver.on_deadline(now, *this);
  }
  EXPECT_EQ(receiver.counters().lost, 0U);
  EXPECT_EQ(receiver.counters().repaired, 400U);
  EXPECT_LT(most, 200U) << "as many at a time as come back in a round trip";
  EXPECT_LT(now - seen, 1s);
  const auto all = taken();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
}

TEST_F(RepairReceiverTest, OfAnOutageLongerThanTheBufferTheOldestIsGivenUpAtOnce) {
  run(0, 200);
  now += 2600ms;
  (void)come(2200);
  const auto lost = receiver.counters().lost;
  EXPECT_GT(lost, 1000U);
  EXPECT_LT(lost, 1600U) << "what a second can repair is still waited for";
  wait(1100ms);
  EXPECT_EQ(receiver.counters().lost, 2000U);
  run(2201, 100);
  EXPECT_EQ(receiver.counters().lost, 2000U) << "it goes on without further errors";
  EXPECT_EQ(receiver.held(), 0U);
}

TEST_F(RepairReceiverTest, WhatComesAfterAllOfALongGapBehindAnotherOneIsWelcome) {
  run(0, 10);
  (void)come(11);
  (void)come(2011);  // too long to be repaired whole: its oldest part is given up
  (void)taken();
  const auto lost = receiver.counters().lost;
  EXPECT_GT(lost, 1000U);
  EXPECT_EQ(come(12), Arrival::kLate) << "nothing after it was handed on yet";
  EXPECT_EQ(come(12), Arrival::kDuplicate);
  EXPECT_EQ(receiver.counters().lost, lost - 1);
  EXPECT_EQ(receiver.counters().late, 0U);
  EXPECT_EQ(come(10), Arrival::kLate);
  EXPECT_THAT(taken(), ElementsAre(10, 11, 12));
  wait(1100ms);
  EXPECT_THAT(taken(), ElementsAre(2011));
  EXPECT_EQ(receiver.counters().lost, 1998U);
  EXPECT_THAT(asks(), IsEmpty());
  EXPECT_EQ(receiver.next_deadline(), kNever);
}

TEST_F(RepairReceiverTest, AVeryLongGapBeginsAnew) {
  run(0, 10);
  (void)come(11);
  (void)taken();
  EXPECT_EQ(come(100'000), Arrival::kGap);
  EXPECT_THAT(taken(), ElementsAre(11, 100'000));
  EXPECT_EQ(receiver.counters().lost, 1U + 100'000U - 12U);
  run(100'001, 10);
  EXPECT_EQ(taken().size(), 10U);
}

TEST_F(RepairReceiverTest, ASenderThatStartsAnewIsFollowed) {
  run(100'000, 10);
  (void)taken();
  EXPECT_EQ(come(0), Arrival::kDuplicate);
  EXPECT_EQ(come(1), Arrival::kDuplicate);
  EXPECT_EQ(come(2), Arrival::kDuplicate);
  EXPECT_EQ(come(3), Arrival::kRestart);
  EXPECT_EQ(come(4), Arrival::kNext);
  EXPECT_THAT(taken(), ElementsAre(3, 4));
}

TEST_F(RepairReceiverTest, WhatCameBeforeTheFirstIsDropped) {
  (void)come(100);
  EXPECT_EQ(come(99), Arrival::kDuplicate);
  EXPECT_THAT(taken(), ElementsAre(100));
  EXPECT_EQ(receiver.counters().lost, 0U);
}

TEST_F(RepairReceiverTest, RestartHandsOnWhatIsHeldAndTakesAnotherFlow) {
  run(0, 3);
  (void)come(4);
  (void)taken();
  receiver.restart(9, now, *this);
  EXPECT_THAT(taken(), ElementsAre(4));
  EXPECT_EQ(receiver.flow(), 9U);
  EXPECT_EQ(receiver.counters().lost, 1U);
  EXPECT_EQ(receiver.next_deadline(), kNever);
  (void)come(0);
  (void)come(1);
  EXPECT_THAT(taken(), ElementsAre(0, 1));
}

TEST_F(RepairReceiverTest, AFullPoolGivesUpTheOldestGap) {
  (void)come(0);
  for (std::uint32_t n = 2; n < 2 + HoldPool::kSlots; ++n) {
    (void)come(n);
  }
  EXPECT_THAT(taken(), ElementsAre(0));
  EXPECT_EQ(receiver.held(), HoldPool::kSlots);
  (void)come(2 + HoldPool::kSlots);
  EXPECT_EQ(taken().size(), HoldPool::kSlots + 1);
  EXPECT_EQ(receiver.held(), 0U);
  EXPECT_EQ(receiver.counters().lost, 1U);
}

TEST_F(RepairReceiverTest, APayloadThatIsTooLongToHoldIsHandedOnNotLost) {
  (void)come(0);
  (void)come(2);
  (void)come(4, HoldPool::kSlotSize + 1);
  EXPECT_THAT(taken(), ElementsAre(0, 2, 4));
  EXPECT_EQ(receiver.counters().lost, 2U);
}

TEST_F(RepairReceiverTest, APreludeIsWaitedForThenLiveFollows) {
  receiver.on_prelude({7, 100, 50}, now);
  (void)come(100);
  (void)come(101);
  (void)come(150);  // live
  EXPECT_THAT(taken(), ElementsAre(100, 101)) << "at once, in order";
  receiver.on_prelude({7, 100, 50}, now);  // said again
  std::uint32_t live = 151;
  for (std::uint32_t n = 102; n < 150; ++n) {
    now += 1300us;
    (void)come(live++);
    EXPECT_EQ(come(n), Arrival::kLate);
    EXPECT_THAT(asks(), IsEmpty()) << "it comes by itself";
    receiver.on_deadline(now, *this);
  }
  const auto all = taken();
  ASSERT_EQ(all.size(), live - 102);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(receiver.counters().lost, 0U);
  EXPECT_EQ(receiver.counters().reordered, 0U);
  EXPECT_EQ(receiver.next_deadline(), kNever);
}

TEST_F(RepairReceiverTest, ALossWithinThePreludeIsAskedFor) {
  receiver.on_prelude({7, 100, 50}, now);
  (void)come(100);
  (void)come(102);
  now += 5ms;
  EXPECT_THAT(asks(), ElementsAre(101));
  (void)come(101);
  EXPECT_THAT(taken(), ElementsAre(100, 101, 102));
}

TEST_F(RepairReceiverTest, APreludeThatStallsIsAskedForThenGivenUp) {
  receiver.on_prelude({7, 100, 10}, now);
  (void)come(100);
  (void)come(110);
  (void)taken();
  EXPECT_THAT(asks(), IsEmpty());
  wait(300ms);
  now += 5ms;
  EXPECT_THAT(asks(), ElementsAre(101, 102, 103, 104, 105, 106, 107, 108, 109));
  wait(kMostDelay);
  EXPECT_THAT(taken(), ElementsAre(110));
  EXPECT_EQ(receiver.counters().lost, 9U);
}

TEST_F(RepairReceiverTest, APreludeThatIsAnnouncedLateTurnsAGapIntoWaiting) {
  (void)come(100);  // the first announcement was lost; its first packets were not
  (void)come(101);
  (void)come(150);
  receiver.on_prelude({7, 100, 50}, now);
  now += 50ms;
  EXPECT_THAT(asks(), IsEmpty());
  (void)come(102);
  EXPECT_THAT(taken(), ElementsAre(100, 101, 102));
}

TEST_F(RepairReceiverTest, ALongPreludeThatIsAnnouncedLateTakesBackWhatWasGivenUpOfIt) {
  (void)come(100);
  (void)come(102);
  (void)come(2100);  // live
  EXPECT_GT(receiver.counters().lost, 0U);
  receiver.on_prelude({7, 100, 2000}, now);
  EXPECT_EQ(receiver.counters().lost, 0U);
  (void)come(103);
  (void)come(101);
  EXPECT_THAT(taken(), ElementsAre(100, 101, 102, 103));
  EXPECT_THAT(asks(), IsEmpty());
}

TEST_F(RepairReceiverTest, APreludeAfterLiveWasHandedOnIsNoUse) {
  (void)come(150);
  receiver.on_prelude({7, 100, 50}, now);
  (void)come(100);
  (void)come(151);
  (void)come(101);
  EXPECT_THAT(taken(), ElementsAre(150, 151));
  EXPECT_EQ(receiver.next_deadline(), kNever);
}

TEST_F(RepairReceiverTest, APreludeThatIsTooLongIsNotBelieved) {
  receiver.on_prelude({7, 0, 1'000'000}, now);
  (void)come(1'000'000);
  EXPECT_THAT(taken(), ElementsAre(1'000'000));
}

// Whatever the path does: in order, nothing twice, and every packet is either handed on or counted lost.
TEST_F(RepairReceiverTest, AnyPathAddsUp) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    receiver = RepairReceiver(7);
    receiver.set_repair(seed % 4 != 0);
    receiver.hint_round_trip(40ms);
    out.clear();
    const std::uint32_t first = 0xFFFFF800;
    constexpr std::uint32_t kPackets = 6000;
    std::vector<std::pair<Time, std::uint32_t>> flying;
    for (std::uint32_t n = 0; n < kPackets; ++n) {
      now += 1300us;
      const auto launch = [&](std::uint32_t sequence, Duration delay) {
        if (random() % 100 >= seed) {
          flying.emplace_back(now + delay + std::chrono::milliseconds(seed) * (random() % 1000) / 1000,
                              sequence);
        }
        if (random() % 100 < 3) {
          flying.emplace_back(now + delay * 2, sequence);
        }
      };
      launch(first + n, 10ms);
      for (const auto sequence : asks()) {
        launch(sequence, 40ms);
      }
      std::stable_sort(flying.begin(), flying.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      while (!flying.empty() && flying.front().first <= now) {
        (void)come(flying.front().second);
        flying.erase(flying.begin());
      }
      receiver.on_deadline(now, *this);
    }
    const auto given_up = receiver.counters().lost;
    receiver.restart(7, now, *this);  // what is still waited for counts as lost now
    for (std::size_t n = 1; n < out.size(); ++n) {
      ASSERT_LT(out[n - 1] - first, out[n] - first) << seed;
    }
    const auto& counters = receiver.counters();
    EXPECT_EQ(out.size(), counters.received) << seed;
    EXPECT_LE(out.size() + counters.lost, kPackets) << seed;
    EXPECT_GE(out.size() + counters.lost, kPackets - 100) << seed;  // the last are still flying
    EXPECT_EQ(receiver.held(), 0U);
    if (seed % 4 != 0 && seed <= 10) {
      EXPECT_LE(given_up, 3U) << seed;
    }
  }
}

}  // namespace
}  // namespace hearthcast::tunnel
