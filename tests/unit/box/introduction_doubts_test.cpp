#include "appliance/app/introduction_doubts.hpp"

#include <gmock/gmock.h>

namespace hearthcast::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const Time t0 = Time{} + 1h;

TEST(IntroductionDoubts, SayNothingWhileThereAreNone) { EXPECT_EQ(IntroductionDoubts().text(), ""); }

TEST(IntroductionDoubts, AreCountedAndToldWithTheLastReason) {
  IntroductionDoubts doubts;
  EXPECT_TRUE(doubts.add("not paired", t0));
  EXPECT_THAT(doubts.text(), HasSubstr("1 introduction that"));
  EXPECT_TRUE(doubts.add("replayed or stale", t0));
  EXPECT_EQ(doubts.count(), 2U);
  EXPECT_THAT(doubts.text(), HasSubstr("2 introductions"));
  EXPECT_THAT(doubts.text(), HasSubstr("the last: replayed or stale"));
}

TEST(IntroductionDoubts, AFloodIsOneLineAMinute) {
  IntroductionDoubts doubts;
  int lines = 0;
  for (Time now = t0; now < t0 + 3min; now += 10ms) {
    lines += doubts.add("not paired", now) ? 1 : 0;
  }
  EXPECT_EQ(lines, 3);
  EXPECT_EQ(doubts.count(), 18000U);
}

TEST(IntroductionDoubts, TwoReasonsInTurnAreToldEach) {
  IntroductionDoubts doubts;
  EXPECT_TRUE(doubts.add("a", t0));
  EXPECT_TRUE(doubts.add("b", t0));
  EXPECT_FALSE(doubts.add("b", t0 + 59s));
  EXPECT_TRUE(doubts.add("b", t0 + 60s));
}

TEST(IntroductionDoubts, ReasonsInTurnFillNoDisk) {
  IntroductionDoubts doubts;
  int lines = 0;
  for (int i = 0; i < 10'000; ++i) {
    lines += doubts.add(i % 2 == 0 ? "a" : "b", t0) ? 1 : 0;
  }
  EXPECT_EQ(lines, 10);
}

}  // namespace
}  // namespace hearthcast::app
