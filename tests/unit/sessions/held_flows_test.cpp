#include "appliance/sessions/held_flows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::sessions {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const FlowKey kNews{*IpAddress::parse("2001:db8::5"), *IpAddress::parse("ff3e::1234"), 5000};
const FlowKey kFilm{std::nullopt, *IpAddress::parse("239.1.2.3"), 5004};
constexpr Time kStart{1h};

TEST(HeldFlows, AFlowGoesWithTheLastReportThatHoldsIt) {
  HeldFlows held;
  held.hold({kNews});
  held.hold({kNews, kFilm});
  EXPECT_EQ(held.count(), 2U);
  EXPECT_THAT(held.watching(), IsEmpty()) << "not before the end of the input";
  EXPECT_TRUE(held.settle(kStart));
  EXPECT_THAT(held.watching(), ElementsAre(kFilm, kNews));
  held.release({kNews, kFilm});
  EXPECT_EQ(held.count(), 1U);
  EXPECT_TRUE(held.settle(kStart));
  EXPECT_THAT(held.watching(), ElementsAre(kNews));
  held.release({kNews});
  EXPECT_TRUE(held.settle(kStart));
  EXPECT_EQ(held.count(), 0U);
  EXPECT_THAT(held.watching(), IsEmpty());
}

TEST(HeldFlows, WhatIsReleasedAndHeldInOneInputDoesNotChange) {
  HeldFlows held;
  held.hold({kNews});
  EXPECT_TRUE(held.settle(kStart));
  held.release({kNews});
  EXPECT_EQ(held.count(), 0U);
  EXPECT_TRUE(held.watches(kNews));
  held.hold({kNews});
  EXPECT_FALSE(held.settle(kStart + 9s));
  EXPECT_THAT(held.watching_since(), ElementsAre(std::pair(kNews, kStart)));
}

TEST(HeldFlows, WhatCameAndWentInOneInputWasNeverThere) {
  HeldFlows held;
  held.hold({kNews});
  held.release({kNews});
  EXPECT_FALSE(held.watches(kNews));
  EXPECT_FALSE(held.settle(kStart));
  EXPECT_EQ(held.next_deadline(), kNever);
}

TEST(HeldFlows, ReleasingWhatNobodyHoldsIsNothing) {
  HeldFlows held;
  held.release({kNews});
  held.hold({kFilm});
  held.release({kFilm});
  held.release({kFilm});
  EXPECT_EQ(held.count(), 0U);
  EXPECT_FALSE(held.settle(kStart));
}

TEST(HeldFlows, SilenceIsToldOnceAndAgainAfterDataCameAndCeased) {
  HeldFlows held;
  held.hold({kNews});
  EXPECT_TRUE(held.settle(kStart));
  EXPECT_EQ(held.next_deadline(), kStart + HeldFlows::kNoSignal);
  EXPECT_THAT(held.on_deadline(kStart + 4s), IsEmpty());
  EXPECT_THAT(held.on_deadline(kStart + 5s), ElementsAre(kNews));
  EXPECT_EQ(held.next_deadline(), kNever);
  EXPECT_THAT(held.on_deadline(kStart + 50s), IsEmpty());
  held.on_signal(kNews, true, kStart + 60s);
  EXPECT_EQ(held.next_deadline(), kNever);
  held.on_signal(kNews, false, kStart + 70s);
  held.on_signal(kNews, false, kStart + 73s);  // says nothing new
  EXPECT_THAT(held.on_deadline(kStart + 75s), ElementsAre(kNews));
}

TEST(HeldFlows, EachSilenceHasItsOwnTime) {
  HeldFlows held;
  held.hold({kNews});
  EXPECT_TRUE(held.settle(kStart));
  held.hold({kFilm});
  EXPECT_TRUE(held.settle(kStart + 2s));
  EXPECT_THAT(held.on_deadline(kStart + 5s), ElementsAre(kNews));
  EXPECT_EQ(held.next_deadline(), kStart + 7s);
  held.on_signal(kFilm, true, kStart + 6s);
  EXPECT_THAT(held.on_deadline(kStart + 7s), IsEmpty());
  EXPECT_EQ(held.next_deadline(), kNever);
}

TEST(HeldFlows, SignalsOfWhatIsNotWatchedAreNotTaken) {
  HeldFlows held;
  held.on_signal(kNews, false, kStart);
  held.hold({kNews});
  held.on_signal(kNews, true, kStart);
  EXPECT_TRUE(held.settle(kStart));
  EXPECT_THAT(held.on_deadline(kStart + 5s), ElementsAre(kNews)) << "it counts from the beginning";
}

TEST(HeldFlows, ClearingSaysWhetherAnythingWasThere) {
  HeldFlows held;
  EXPECT_FALSE(held.clear());
  held.hold({kNews});
  EXPECT_TRUE(held.settle(kStart));
  EXPECT_TRUE(held.clear());
  EXPECT_EQ(held.count(), 0U);
  EXPECT_EQ(held.next_deadline(), kNever);
  held.release({kNews});  // a report that outlived it
  EXPECT_FALSE(held.settle(kStart));
}

}  // namespace
}  // namespace hearthcast::sessions
