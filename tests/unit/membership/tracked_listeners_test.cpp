// Checklist row 45: who wants what, host by host.
#include "tunnelmgr/membership/tracked_listeners.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/packets.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using wire::RecordType;
const IpAddress kTv = *IpAddress::parse("fe80::51");
const IpAddress kPhone = *IpAddress::parse("fe80::52");
const IpAddress kA = *IpAddress::parse("2001:db8::a");
const IpAddress kB = *IpAddress::parse("2001:db8::b");

struct Tracked : testing::Test {
  void say(const IpAddress& host, RecordType type, std::vector<IpAddress> sources = {}, Time now = kStart) {
    listeners.on_record(host, {type, *IpAddress::parse("ff1e::1"), std::move(sources)}, now + 260s, now,
                        limits);
  }
  Limits limits{.sources = 3, .listeners = 2};
  TrackedListeners listeners;
};

TEST_F(Tracked, AHostsWordIsTakenAtOnce) {
  say(kTv, RecordType::kAllowNewSources, {kA, kB});
  say(kTv, RecordType::kBlockOldSources, {kA});
  ASSERT_THAT(listeners.all(), SizeIs(1));
  EXPECT_EQ(listeners.all().at(kTv).state.filter(), (SourceFilter{FilterMode::kInclude, {kB}}));
  say(kTv, RecordType::kChangeToExclude, {kA});
  EXPECT_EQ(listeners.all().at(kTv).state.filter(), (SourceFilter{FilterMode::kExclude, {kA}}));
  say(kTv, RecordType::kChangeToInclude);
  EXPECT_THAT(listeners.all(), IsEmpty()) << "who wants nothing is not kept";
}

TEST_F(Tracked, WhatNobodyWantsIsToldApartFromWhatOthersWant) {
  say(kTv, RecordType::kAllowNewSources, {kA});
  EXPECT_EQ(listeners.unwanted({true, {kA, kB}}, kStart), (Ask{true, {kB}}));
  say(kPhone, RecordType::kChangeToExclude, {kA});
  EXPECT_TRUE(listeners.unwanted({true, {kA, kB}}, kStart).empty());
  say(kTv, RecordType::kChangeToInclude);
  EXPECT_EQ(listeners.unwanted({true, {kA, kB}}, kStart), (Ask{false, {kA}}));
}

TEST_F(Tracked, WhoIsSilentTooLongWantsNothing) {
  say(kTv, RecordType::kChangeToExclude);
  EXPECT_TRUE(listeners.unwanted({true, {kA}}, kStart + 259s).empty());
  EXPECT_EQ(listeners.unwanted({true, {kA}}, kStart + 260s), (Ask{true, {kA}}));
  listeners.forget_expired(kStart + 259s);
  EXPECT_THAT(listeners.all(), SizeIs(1));
  listeners.forget_expired(kStart + 260s);
  EXPECT_THAT(listeners.all(), IsEmpty());
}

TEST_F(Tracked, SourcesOfAllAreGatheredWithTheLatestTimer) {
  say(kTv, RecordType::kAllowNewSources, {kA}, kStart);
  say(kPhone, RecordType::kAllowNewSources, {kA, kB}, kStart + 10s);
  EXPECT_THAT(listeners.included(kStart + 10s),
              ElementsAre(Pair(kA, kStart + 270s), Pair(kB, kStart + 270s)));
  say(kPhone, RecordType::kChangeToInclude, {kB}, kStart + 20s);
  EXPECT_THAT(listeners.included(kStart + 20s),
              ElementsAre(Pair(kA, kStart + 260s), Pair(kB, kStart + 280s)));
  EXPECT_THAT(listeners.included(kStart + 265s), ElementsAre(Pair(kB, kStart + 280s)));
}

TEST_F(Tracked, OneHostTooManyIsKnownToBeThere) {
  say(kTv, RecordType::kChangeToExclude);
  say(kPhone, RecordType::kChangeToExclude);
  EXPECT_FALSE(listeners.has_hidden(kStart));
  say(*IpAddress::parse("fe80::53"), RecordType::kChangeToExclude);
  EXPECT_THAT(listeners.all(), SizeIs(2));
  EXPECT_TRUE(listeners.has_hidden(kStart + 259s));
  EXPECT_FALSE(listeners.has_hidden(kStart + 260s));
}

TEST_F(Tracked, AGoneHostMakesRoom) {
  say(kTv, RecordType::kChangeToExclude);
  say(kPhone, RecordType::kChangeToExclude, {}, kStart + 100s);
  say(*IpAddress::parse("fe80::53"), RecordType::kChangeToExclude, {}, kStart + 300s);
  EXPECT_FALSE(listeners.has_hidden(kStart + 300s));
  EXPECT_THAT(listeners.all(), SizeIs(2));
  EXPECT_FALSE(listeners.all().contains(kTv));
}

TEST_F(Tracked, AHostWithTooManySourcesIsKnownOnlyToBeThere) {
  std::vector<IpAddress> many;
  for (int i = 1; i <= 4; ++i) {
    many.push_back(*IpAddress::parse("2001:db8::" + std::to_string(i)));
  }
  say(kTv, RecordType::kAllowNewSources, many);
  EXPECT_THAT(listeners.all(), IsEmpty());
  EXPECT_TRUE(listeners.has_hidden(kStart));
}

}  // namespace
}  // namespace hearthcast::membership
