#include "rendezvous-server/registry/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace hearthcast::rendezvous {
namespace {

using namespace std::chrono_literals;
const Time t0 = Time{} + 1h;

TEST(RateLimiterTest, ABurstThenOneAtATime) {
  RateLimiter<int> limiter({3, 60s});
  EXPECT_TRUE(limiter.take(1, t0));
  EXPECT_TRUE(limiter.take(1, t0));
  EXPECT_TRUE(limiter.take(1, t0));
  EXPECT_FALSE(limiter.take(1, t0));
  EXPECT_FALSE(limiter.take(1, t0 + 19s));
  EXPECT_TRUE(limiter.take(1, t0 + 21s));
  EXPECT_FALSE(limiter.take(1, t0 + 22s));
}

TEST(RateLimiterTest, KeysDoNotShare) {
  RateLimiter<int> limiter({1, 60s});
  EXPECT_TRUE(limiter.take(1, t0));
  EXPECT_TRUE(limiter.take(2, t0));
  EXPECT_FALSE(limiter.take(1, t0));
}

TEST(RateLimiterTest, NeverHoldsMoreThanItsBurst) {
  RateLimiter<int> limiter({2, 60s});
  EXPECT_TRUE(limiter.take(1, t0));
  EXPECT_TRUE(limiter.take(1, t0 + 24h));
  EXPECT_TRUE(limiter.take(1, t0 + 24h));
  EXPECT_FALSE(limiter.take(1, t0 + 24h));
}

TEST(RateLimiterTest, MemoryIsBoundedAndRecovers) {
  RateLimiter<int> limiter({1, 60s}, 10);
  for (int key = 0; key < 10; ++key) {
    EXPECT_TRUE(limiter.take(key, t0));
  }
  EXPECT_FALSE(limiter.take(100, t0 + 1s));
  EXPECT_TRUE(limiter.take(100, t0 + 200s));
  EXPECT_LE(limiter.size(), 10U);
}

}  // namespace
}  // namespace hearthcast::rendezvous
