// Checklist row 19: how often and when a specific query is repeated.
#include "tunnelmgr/membership/pending_queries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/packets.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
const IpAddress kA = *IpAddress::parse("2001:db8::a");
const IpAddress kB = *IpAddress::parse("2001:db8::b");

TEST(PendingQueries, AsksAsOftenAsToldAndThenNoMore) {
  PendingQueries pending;
  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(pending.next_deadline(), kNever);
  pending.add({.group = true}, 3, kStart);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(pending.next_deadline(), kStart + i * 1s);
    EXPECT_EQ(pending.take(kStart + i * 1s, 1s), (Ask{true, {}}));
  }
  EXPECT_TRUE(pending.empty());
  EXPECT_EQ(pending.next_deadline(), kNever);
  EXPECT_TRUE(pending.take(kStart + 10s, 1s).empty());
}

TEST(PendingQueries, SaysNothingBeforeItsTime) {
  PendingQueries pending;
  pending.add({.group = true}, 2, kStart);
  EXPECT_FALSE(pending.take(kStart, 1s).empty());
  EXPECT_TRUE(pending.take(kStart + 999ms, 1s).empty());
  EXPECT_FALSE(pending.take(kStart + 1s, 1s).empty());
}

TEST(PendingQueries, EachSourceHasACountOfItsOwn) {
  PendingQueries pending;
  pending.add({.group = false, .sources = {kA}}, 2, kStart);
  EXPECT_EQ(pending.take(kStart, 1s), (Ask{false, {kA}}));
  pending.add({.group = false, .sources = {kB}}, 2, kStart + 500ms);
  EXPECT_EQ(pending.take(kStart + 500ms, 1s), (Ask{false, {kA, kB}})) << "what is due soon goes along";
  EXPECT_EQ(pending.take(kStart + 1500ms, 1s), (Ask{false, {kB}}));
  EXPECT_TRUE(pending.empty());
}

TEST(PendingQueries, GroupAndSourcesGoTogether) {
  PendingQueries pending;
  pending.add({.group = true, .sources = {kB, kA}}, 1, kStart);
  EXPECT_EQ(pending.take(kStart, 1s), (Ask{true, {kA, kB}}));
  EXPECT_TRUE(pending.empty());
}

TEST(PendingQueries, NothingLoweredMeansNothingToAsk) {
  PendingQueries pending;
  pending.add({}, 2, kStart);
  pending.add({.group = true}, 0, kStart);
  EXPECT_TRUE(pending.empty());
}

TEST(PendingQueries, CanBeForgotten) {
  PendingQueries pending;
  pending.add({.group = true, .sources = {kA}}, 2, kStart);
  pending.clear();
  EXPECT_TRUE(pending.empty());
  EXPECT_TRUE(pending.take(kStart, 1s).empty());
}

TEST(PendingQueries, AnIntervalOfNothingStillMovesTheTime) {
  PendingQueries pending;
  pending.add({.group = true}, 2, kStart);
  EXPECT_FALSE(pending.take(kStart, 0s).empty());
  EXPECT_GT(pending.next_deadline(), kStart);
}

}  // namespace
}  // namespace hearthcast::membership
