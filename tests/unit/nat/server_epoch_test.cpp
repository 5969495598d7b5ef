#include "tunnelmgr/nat/server_epoch.hpp"

#include <gtest/gtest.h>

namespace hearthcast::nat {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1h};

TEST(ServerEpoch, TheFirstOneIsGoodWhateverItIs) {
  ServerEpoch epoch;
  EXPECT_TRUE(epoch.on_epoch(4'000'000'000, kStart));
}

TEST(ServerEpoch, OneThatGoesWithTimeIsGood) {
  ServerEpoch epoch;
  (void)epoch.on_epoch(100, kStart);
  EXPECT_TRUE(epoch.on_epoch(99, kStart));  // a second back is bad rounding
  EXPECT_TRUE(epoch.on_epoch(700, kStart + 600s));
  EXPECT_TRUE(epoch.on_epoch(1'320, kStart + 1'200s));  // a clock that is 3 % fast
  EXPECT_TRUE(epoch.on_epoch(1'890, kStart + 1'800s));  // and one that is 5 % slow
}

TEST(ServerEpoch, OneThatWentBackIsARestart) {
  ServerEpoch epoch;
  (void)epoch.on_epoch(100, kStart);
  EXPECT_FALSE(epoch.on_epoch(98, kStart + 1s));
}

TEST(ServerEpoch, OneThatCountsFromTheRestartAndIsPastTheOldNumberIsFoundToo) {
  ServerEpoch epoch;
  (void)epoch.on_epoch(5, kStart);
  EXPECT_FALSE(epoch.on_epoch(300, kStart + 600s));  // restarted after 300 s
}

TEST(ServerEpoch, OneThatRunsAheadIsAnotherServer) {
  ServerEpoch epoch;
  (void)epoch.on_epoch(100, kStart);
  EXPECT_FALSE(epoch.on_epoch(1'000, kStart + 10s));
}

TEST(ServerEpoch, ARestartIsToldOnce) {
  ServerEpoch epoch;
  (void)epoch.on_epoch(1'000, kStart);
  EXPECT_FALSE(epoch.on_epoch(3, kStart + 10s));
  EXPECT_TRUE(epoch.on_epoch(13, kStart + 20s));
}

TEST(ServerEpoch, WhatIsForgottenIsNotCompared) {
  ServerEpoch epoch;
  (void)epoch.on_epoch(1'000, kStart);
  epoch.forget();
  EXPECT_TRUE(epoch.on_epoch(3, kStart + 10s));
}

}  // namespace
}  // namespace hearthcast::nat
