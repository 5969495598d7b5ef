#include "tunnelmgr/tunnel/repair_estimate.hpp"

#include <gtest/gtest.h>

namespace hearthcast::tunnel {
namespace {

using namespace std::chrono_literals;

// So many packets with every nth lost.
void run(RepairEstimate& estimate, int packets, int every) {
  for (int n = 1; n <= packets; ++n) {
    if (every > 0 && n % every == 0) {
      estimate.on_loss();
    } else {
      estimate.on_packet();
    }
  }
}

void settle(RepairEstimate& estimate, Duration round_trip) {
  for (int n = 0; n < 50; ++n) {
    estimate.on_round_trip(round_trip);
  }
}

TEST(RepairEstimate, BeginsCarefully) {
  const RepairEstimate estimate;
  EXPECT_GT(estimate.delay(), 400ms);
  EXPECT_LE(estimate.delay(), kMostDelay);
  EXPECT_EQ(estimate.reorder_wait(), 3ms);
}

TEST(RepairEstimate, ACleanPathNeedsTheLeastDelay) {
  RepairEstimate estimate;
  estimate.hint_round_trip(20ms);
  run(estimate, 20'000, 0);
  EXPECT_LT(estimate.loss(), 1e-6);
  EXPECT_EQ(estimate.asks(), 2);
  EXPECT_EQ(estimate.delay(), kLeastDelay);
}

TEST(RepairEstimate, FivePercentEachWayAtFiftyMilliseconds) {
  RepairEstimate estimate;
  settle(estimate, 50ms);
  run(estimate, 20'000, 20);
  EXPECT_NEAR(estimate.loss(), 0.05, 0.005);
  // Seven asks leave two thousandths of a packet in ten minutes, six two hundredths.
  EXPECT_EQ(estimate.asks(), 7);
  EXPECT_EQ(estimate.retry(), 60ms);
  EXPECT_GT(estimate.delay(), 200ms);
  EXPECT_LE(estimate.delay(), 400ms);
}

TEST(RepairEstimate, MoreLossAndLongerWaysNeedMore) {
  RepairEstimate near;
  settle(near, 50ms);
  run(near, 20'000, 100);
  RepairEstimate lossy;
  settle(lossy, 50ms);
  run(lossy, 20'000, 10);
  RepairEstimate far;
  settle(far, 150ms);
  run(far, 20'000, 100);
  EXPECT_GT(lossy.delay(), near.delay());
  EXPECT_GT(far.delay(), near.delay());
  EXPECT_GT(lossy.asks(), near.asks());
  RepairEstimate hopeless;
  run(hopeless, 20'000, 1);
  EXPECT_EQ(hopeless.delay(), kMostDelay);
}

TEST(RepairEstimate, LossFadesWhenThePathIsGoodAgain) {
  RepairEstimate estimate;
  settle(estimate, 20ms);
  run(estimate, 5000, 10);
  const auto before = estimate.delay();
  run(estimate, 20'000, 0);
  EXPECT_LT(estimate.delay(), before);
  EXPECT_EQ(estimate.delay(), kLeastDelay);
}

TEST(RepairEstimate, TheRoundTripIsSmoothedAndAHintIsOnlyAHint) {
  RepairEstimate estimate;
  estimate.hint_round_trip(30ms);
  EXPECT_EQ(estimate.round_trip(), 30ms);
  estimate.on_round_trip(80ms);
  EXPECT_EQ(estimate.round_trip(), 80ms);
  estimate.hint_round_trip(10ms);
  EXPECT_EQ(estimate.round_trip(), 80ms);
  estimate.on_round_trip(160ms);
  EXPECT_EQ(estimate.round_trip(), 90ms);
  estimate.hint_round_trip(170ms);
  EXPECT_EQ(estimate.round_trip(), 90ms);
  EXPECT_GT(estimate.retry(), 160ms) << "a way that varies is waited for longer";
}

TEST(RepairEstimate, OfManyHintsTheLeastIsBelieved) {
  RepairEstimate estimate;
  estimate.hint_round_trip(170ms);
  EXPECT_EQ(estimate.round_trip(), 170ms);
  estimate.hint_round_trip(50ms);
  EXPECT_EQ(estimate.round_trip(), 50ms) << "the first was a busy moment of whoever measured it";
  estimate.on_round_trip(52ms);
  for (int n = 0; n < 5; ++n) {
    estimate.hint_round_trip(300ms);
  }
  EXPECT_EQ(estimate.round_trip(), 52ms);
  for (int n = 0; n < 16; ++n) {
    estimate.hint_round_trip(300ms);
  }
  EXPECT_EQ(estimate.round_trip(), 300ms) << "the path is another";
}

TEST(RepairEstimate, OldSamplesGiveWayToHints) {
  RepairEstimate estimate;
  estimate.on_round_trip(400ms);
  for (int n = 0; n < 5; ++n) {
    estimate.hint_round_trip(50ms);
  }
  EXPECT_EQ(estimate.round_trip(), 400ms);
  estimate.hint_round_trip(50ms);
  EXPECT_EQ(estimate.round_trip(), 50ms) << "nothing was repaired for a while: that outage is over";
}

TEST(RepairEstimate, ReorderingIsWaitedForAndFades) {
  RepairEstimate estimate;
  estimate.on_reordered(40ms);
  estimate.on_reordered(10ms);
  EXPECT_EQ(estimate.reorder_wait(), 50ms);
  estimate.on_reordered(10s);
  EXPECT_EQ(estimate.reorder_wait(), 150ms) << "bounded";
  run(estimate, 50'000, 0);
  EXPECT_EQ(estimate.reorder_wait(), 3ms);
}

}  // namespace
}  // namespace hearthcast::tunnel
