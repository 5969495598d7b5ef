#include "appliance/sessions/change_pace.hpp"

#include <gtest/gtest.h>

namespace hearthcast::sessions {
namespace {

using namespace std::chrono_literals;
constexpr Time kStart{100h};

TEST(ChangePace, AllThatADeviceMayHaveBeginsAtOnce) {
  ChangePace pace;
  EXPECT_LE(pace.next(), kStart);
  pace.spend(ChangePace::kAtOnce, kStart);
  EXPECT_EQ(pace.next(), kStart) << "and one more";
  pace.spend(1, kStart);
  EXPECT_GT(pace.next(), kStart);
  EXPECT_LE(pace.next(), kStart + Duration(1s) / ChangePace::kPerSecond);
}

TEST(ChangePace, APersonWhoZapsNeverWaits) {
  ChangePace pace;
  for (Time now = kStart; now < kStart + 1h; now += 100ms) {  // ten channels a second for an hour
    ASSERT_LE(pace.next(), now);
    pace.spend(2, now);
  }
}

TEST(ChangePace, WhatFlapsIsHeldToTheRate) {
  ChangePace pace;
  std::size_t changes = 0;
  for (Time now = kStart; now < kStart + 60s; now += 1ms) {
    if (pace.next() <= now) {
      pace.spend(100, now);
      changes += 100;
    }
  }
  EXPECT_GE(changes, 60U * ChangePace::kPerSecond);
  EXPECT_LE(changes, 60U * ChangePace::kPerSecond + ChangePace::kAtOnce + 100U);
}

TEST(ChangePace, ALongRestSavesNoMoreThanAllAtOnce) {
  ChangePace pace;
  pace.spend(ChangePace::kAtOnce, kStart);
  const Time later = kStart + 24h;
  pace.spend(ChangePace::kAtOnce + 1, later);
  EXPECT_GT(pace.next(), later);
}

}  // namespace
}  // namespace hearthcast::sessions
