#include "tunnelmgr/mcast/pacer.hpp"

#include <gtest/gtest.h>

namespace hearthcast::mcast {
namespace {

using namespace std::chrono_literals;
const Time t0 = Time{} + 1000s;

TEST(Pacer, SendsTheFirstAtOnceAndTheRestEvenly) {
  Pacer pacer(100, 0, t0);
  EXPECT_EQ(pacer.next_deadline(), t0);
  EXPECT_EQ(pacer.take(t0), 1U);
  EXPECT_EQ(pacer.next_deadline(), t0 + 10ms);
  EXPECT_EQ(pacer.take(t0 + 9ms), 0U);
  EXPECT_EQ(pacer.take(t0 + 10ms), 1U);
  EXPECT_EQ(pacer.take(t0 + 10ms), 0U);
}

TEST(Pacer, DueAtEachDeadlineIsExactlyOne) {
  for (const double rate : {7.0, 300.0, 1000.0, 9999.0, 33333.0}) {
    Pacer pacer(rate, 0, t0);
    for (int i = 0; i < 5000; ++i) {
      ASSERT_EQ(pacer.take(pacer.next_deadline()), 1U) << rate << " packet " << i;
    }
  }
}

TEST(Pacer, AfterADelayCatchesUpInBursts) {
  Pacer pacer(1000, 0, t0);
  EXPECT_EQ(pacer.take(t0 + 99ms), Pacer::kBurst);
  EXPECT_EQ(pacer.take(t0 + 99ms), 100U - Pacer::kBurst);
  EXPECT_EQ(pacer.take(t0 + 99ms), 0U);
  EXPECT_EQ(pacer.sent(), 100U);
}

TEST(Pacer, EndsAfterItsCount) {
  Pacer pacer(1000, 3, t0);
  EXPECT_EQ(pacer.take(t0 + 1s), 3U);
  EXPECT_TRUE(pacer.done());
  EXPECT_EQ(pacer.next_deadline(), kNever);
  EXPECT_EQ(pacer.take(t0 + 2s), 0U);
}

TEST(Pacer, WithoutARateIsAlwaysDue) {
  Pacer pacer(0, 100, t0);
  EXPECT_EQ(pacer.take(t0), Pacer::kBurst);
  EXPECT_EQ(pacer.next_deadline(), t0);
  EXPECT_EQ(pacer.take(t0), 100U - Pacer::kBurst);
  EXPECT_TRUE(pacer.done());
}

TEST(Pacer, BeforeTheStartNothingIsDue) {
  Pacer pacer(1000, 0, t0);
  EXPECT_EQ(pacer.take(t0 - 1s), 0U);
}

}  // namespace
}  // namespace hearthcast::mcast
