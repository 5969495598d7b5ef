#include "tunnelmgr/mcast/latency.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace hearthcast::mcast {
namespace {

TEST(Latency, IsZeroWithoutAny) {
  const Latency none;
  EXPECT_EQ(none.count(), 0U);
  EXPECT_EQ(none.percentile(0.5), 0);
  EXPECT_EQ(none.mean(), 0);
  EXPECT_EQ(none.variance(), 0);
}

TEST(Latency, SmallOnesAreExact) {
  Latency latency;
  for (int i = 1; i <= 100; ++i) {
    latency.add(i);
  }
  EXPECT_EQ(latency.percentile(0), 1);
  EXPECT_EQ(latency.percentile(0.5), 50);
  EXPECT_EQ(latency.percentile(0.99), 99);
  EXPECT_EQ(latency.percentile(1), 100);
  EXPECT_DOUBLE_EQ(latency.mean(), 50.5);
  EXPECT_NEAR(latency.variance(), 841.6667, 1e-3);
  EXPECT_EQ(latency.least(), 1);
  EXPECT_EQ(latency.most(), 100);
}

TEST(Latency, LargeOnesAreOffByLessThanOnePercentAndNeverTooLow) {
  std::mt19937_64 random(1);
  std::vector<std::int64_t> all;
  Latency latency;
  for (int i = 0; i < 20'000; ++i) {
    const auto value = static_cast<std::int64_t>(std::exp(static_cast<double>(random() % 24'000) / 1000.0));
    all.push_back(value);
    latency.add(value);
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(all.size()))) - 1;
    const double exact = static_cast<double>(all[rank]);
    EXPECT_GE(static_cast<double>(latency.percentile(share)), exact) << share;
    EXPECT_LE(static_cast<double>(latency.percentile(share)), exact * 1.008 + 1) << share;
  }
}

TEST(Latency, ClocksThatDisagreeAreSeen) {
  Latency latency;
  latency.add(-5);
  latency.add(10);
  EXPECT_EQ(latency.below_zero(), 1U);
  EXPECT_EQ(latency.least(), -5);
  EXPECT_EQ(latency.percentile(0.5), 0);
  EXPECT_DOUBLE_EQ(latency.mean(), 2.5);
}

TEST(Latency, TakesTheLargestNumberThereIs) {
  Latency latency;
  latency.add(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(latency.percentile(0.5), std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace hearthcast::mcast
