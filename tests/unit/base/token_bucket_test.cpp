#include "tunnelmgr/base/token_bucket.hpp"

#include <gtest/gtest.h>

namespace hearthcast {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1h};

int taken(TokenBucket& bucket, Time now) {
  int count = 0;
  while (bucket.take(now)) {
    ++count;
  }
  return count;
}

TEST(TokenBucket, IsFullAtFirstAndThenGivesAtItsPace) {
  TokenBucket bucket(8, 2);
  EXPECT_TRUE(bucket.is_full(kStart));
  EXPECT_EQ(taken(bucket, kStart), 8);
  EXPECT_FALSE(bucket.has_token(kStart + 499ms));
  EXPECT_EQ(taken(bucket, kStart + 500ms), 1);
  EXPECT_EQ(taken(bucket, kStart + 2s), 3);
}

TEST(TokenBucket, IsFullFromTheBeginningOfTime) {
  TokenBucket bucket(3, 1);
  EXPECT_EQ(taken(bucket, Time{}), 3);
  EXPECT_EQ(taken(bucket, Time{}), 0);
}

TEST(TokenBucket, NeverHoldsMoreThanItsBurst) {
  TokenBucket bucket(3, 100);
  EXPECT_EQ(taken(bucket, kStart), 3);
  EXPECT_FALSE(bucket.is_full(kStart + 20ms));
  EXPECT_TRUE(bucket.is_full(kStart + 24h));
  EXPECT_EQ(taken(bucket, kStart + 24h), 3);
}

TEST(TokenBucket, AskingTakesNothing) {
  TokenBucket bucket(1, 1);
  EXPECT_TRUE(bucket.has_token(kStart));
  EXPECT_TRUE(bucket.has_token(kStart));
  EXPECT_EQ(taken(bucket, kStart), 1);
}

TEST(TokenBucket, WhatWasRefusedCostsNothing) {
  TokenBucket bucket(1, 1);
  EXPECT_TRUE(bucket.take(kStart));
  for (int i = 1; i < 10; ++i) {
    EXPECT_FALSE(bucket.take(kStart + i * 100ms)) << i;
  }
  EXPECT_TRUE(bucket.take(kStart + 1s));
}

}  // namespace
}  // namespace hearthcast
