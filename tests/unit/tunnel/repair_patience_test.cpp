// How the receiver of a flow learns what its path is like, and how long it waits by that.
#include "tests/unit/tunnel/repair_receiver_in_test.hpp"

namespace hearthcast::tunnel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(RepairReceiverTest, LearnsTheRoundTripFromAnswersToOneAsk) {
  run(0, 10);
  for (std::uint32_t n = 10; n < 100; n += 2) {
    now += 2600us;
    (void)come(n + 1);
    now += 3ms;
    (void)asks();
    now += 40ms;
    (void)come(n);
  }
  EXPECT_NEAR(std::chrono::duration<double>(receiver.estimate().round_trip()).count(), 0.04, 0.002);
}

// Thought to be near at first.
struct LongerWay : RepairReceiverTest {
  LongerWay() {
    receiver.hint_round_trip(50ms);
    run(0, 10);
  }
  // Every other packet is lost and comes so long after its gap was seen. How many asks more than one there
  // were for each, of packets from `counted` on.
  std::uint64_t asked_again_while_answers_take(int milliseconds, std::uint32_t counted) {
    std::uint64_t again = 0;
    for (std::uint32_t n = 10; n < 400; n += 2) {
      now += 2600us;
      (void)come(n + 1);
      const auto before = receiver.counters().asked;
      for (int ms = 0; ms < milliseconds; ++ms) {
        now += 1ms;
        (void)asks();
      }
      again += n < counted ? 0 : receiver.counters().asked - before - 1;
      (void)come(n);
    }
    return again;
  }
  [[nodiscard]] double round_trip() const {
    return std::chrono::duration<double>(receiver.estimate().round_trip()).count();
  }
};

// The answer comes a little after the second ask: it is that of the first.
TEST_F(LongerWay, IsLearntFromAnswersSoonAfterTheSecondAsk) {
  EXPECT_LT(asked_again_while_answers_take(80, 101), 10U) << "no longer asked before the answer can be there";
  EXPECT_NEAR(round_trip(), 0.077, 0.003);
}

// The answer comes so long after the second ask that it may be that one's; no ask would ever be measured.
TEST_F(LongerWay, IsLearntWhenNoAnswerIsSure) {
  EXPECT_LT(asked_again_while_answers_take(120, 201), 10U)
      << "no longer asked before the answer can be there";
  EXPECT_NEAR(round_trip(), 0.117, 0.004);
}

TEST_F(RepairReceiverTest, LearnsThatAPathReordersAndStopsAsking) {
  receiver.hint_round_trip(50ms);
  run(0, 10);
  std::uint64_t before = 0;
  // Every packet of a pair overtakes the other by 20 ms; answers come as well, and too late.
  for (std::uint32_t n = 10; n < 200; n += 2) {
    now += 2600us;
    (void)come(n + 1);
    bool asked = false;
    for (int ms = 0; ms < 20; ++ms) {
      now += 1ms;
      asked |= !asks().empty();
    }
    (void)come(n);
    if (asked) {
      now += 33ms;
      EXPECT_EQ(come(n), Arrival::kDuplicate);
    }
    if (n == 20) {
      before = receiver.counters().asked;
    }
  }
  EXPECT_LE(receiver.counters().asked, before) << "nothing was asked for once it was known";
  EXPECT_GE(receiver.estimate().reorder_wait(), 20ms);
  EXPECT_EQ(receiver.counters().lost, 0U);
}

// Its asks were planned for a long way; that the way turns out short must not leave it fewer.
TEST_F(RepairReceiverTest, AGapKeepsThePatienceThatItBeganWith) {
  receiver.hint_round_trip(200ms);
  run(0, 10);
  (void)taken();
  (void)come(11);
  const Time seen = now;
  const Duration patience = receiver.delay();
  ASSERT_GT(patience, 500ms);
  now += 4ms;
  EXPECT_THAT(asks(), ElementsAre(10));
  receiver.hint_round_trip(10ms);
  ASSERT_EQ(receiver.delay(), kLeastDelay);
  now = seen + kLeastDelay + 10ms;
  receiver.on_deadline(now, *this);
  EXPECT_THAT(taken(), IsEmpty()) << "not given up";
  now = seen + 350ms;
  EXPECT_THAT(asks(), ElementsAre(10));
  now = seen + patience;
  receiver.on_deadline(now, *this);
  EXPECT_THAT(taken(), ElementsAre(11));
  EXPECT_EQ(receiver.counters().lost, 1U);
}

// Of a steady flow one packet is missing, one is held behind it, and then nothing comes: somebody has no
// time.
struct Silence : RepairReceiverTest {
  Silence() {
    receiver.hint_round_trip(50ms);
    run(0, 300);
    (void)taken();
    (void)come(301);
    seen = now;
    patience = receiver.delay();
    now += 4ms;
    EXPECT_THAT(asks(), ElementsAre(300));
  }
  Time seen;
  Duration patience{};
};

TEST_F(Silence, IsNotWaitedForLongerThanTheBufferMayBe) {
  wait(patience);
  EXPECT_THAT(taken(), IsEmpty()) << "nothing else came, so nothing is kept from anybody";
  (void)asks();
  EXPECT_LE(receiver.next_deadline(), seen + kMostDelay);
  now = seen + kMostDelay - 1ms;
  receiver.on_deadline(now, *this);
  EXPECT_THAT(taken(), IsEmpty());
  now = seen + kMostDelay;
  receiver.on_deadline(now, *this);
  EXPECT_THAT(taken(), ElementsAre(301));
  EXPECT_EQ(receiver.counters().lost, 1U);
}

TEST_F(Silence, DoesNotCountOnceSomethingComesAgain) {
  wait(patience + 100ms);
  (void)asks();
  run(302, 5);
  EXPECT_THAT(taken(), IsEmpty()) << "its time was not taken by the silence";
  EXPECT_EQ(come(300), Arrival::kLate);
  EXPECT_THAT(taken(), ElementsAre(300, 301, 302, 303, 304, 305, 306));
  EXPECT_EQ(receiver.counters().lost, 0U);
}

TEST_F(Silence, IsAskedIntoAgainWhenItWasTooLateForThat) {
  wait(patience - 10ms);
  EXPECT_THAT(asks(), IsEmpty()) << "the answer would be late";
  now += 100ms;
  (void)come(302);
  EXPECT_THAT(asks(), ElementsAre(300));
}

TEST_F(Silence, OfAFlowThatIsOftenSilentCounts) {
  now += 100ms;
  (void)come(300);
  now += 100ms;
  (void)come(303);
  (void)taken();
  wait(receiver.delay());
  EXPECT_THAT(taken(), ElementsAre(303));
}

// What a silence lengthens is no measurement: else the next gap would be asked for too late.
TEST_F(Silence, IsNoMeasurementOfThePath) {
  const auto before = receiver.estimate().round_trip();
  const auto retry = receiver.estimate().retry();
  now += 400ms;
  (void)come(302);
  (void)come(300);
  EXPECT_EQ(receiver.counters().repaired, 1U);
  EXPECT_EQ(receiver.estimate().round_trip(), before);
  EXPECT_EQ(receiver.estimate().retry(), retry);
}

}  // namespace
}  // namespace hearthcast::tunnel
