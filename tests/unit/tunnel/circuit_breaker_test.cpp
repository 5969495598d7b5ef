#include "tunnelmgr/tunnel/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace hearthcast::tunnel {
namespace {

constexpr std::uint64_t kSize = 1316;

std::optional<Overload> second(CircuitBreaker& breaker, std::uint64_t packets, std::uint64_t lost) {
  return breaker.on_second(packets, packets * kSize, lost);
}

TEST(CircuitBreaker, TripsAfterSeveralBadSecondsAndSaysWhatFits) {
  CircuitBreaker breaker;
  for (int n = 1; n < CircuitBreaker::kBadSeconds; ++n) {
    EXPECT_FALSE(second(breaker, 500, 260)) << n;
  }
  const auto overload = second(breaker, 500, 260);
  ASSERT_TRUE(overload);
  EXPECT_EQ(overload->arriving_bps, 500 * kSize * 8);
  EXPECT_NEAR(static_cast<double>(overload->needed_bps), 760.0 * kSize * 8, 1000);
  EXPECT_FALSE(second(breaker, 500, 260)) << "once; then it counts anew";
}

TEST(CircuitBreaker, AGoodSecondBeginsAnew) {
  CircuitBreaker breaker;
  for (int n = 0; n < 100; ++n) {
    EXPECT_FALSE(second(breaker, 600, n % CircuitBreaker::kBadSeconds == 0 ? 0 : 160)) << n;
  }
}

TEST(CircuitBreaker, WhatIsRepairedOrRareDoesNotTrip) {
  CircuitBreaker breaker;
  for (int n = 0; n < 100; ++n) {
    EXPECT_FALSE(second(breaker, 760, 30)) << "below a twentieth";
  }
  for (int n = 0; n < 100; ++n) {
    EXPECT_FALSE(second(breaker, 12, 4)) << "radio: four packets a second";
  }
}

TEST(CircuitBreaker, SilenceSaysNothing) {
  CircuitBreaker breaker;
  EXPECT_FALSE(second(breaker, 100, 700));
  for (int n = 0; n < 10; ++n) {
    EXPECT_FALSE(second(breaker, 0, 0)) << "nothing comes: an outage, no narrow path";
  }
  for (int n = 2; n < CircuitBreaker::kBadSeconds; ++n) {
    EXPECT_FALSE(second(breaker, 100, 700));
  }
  EXPECT_TRUE(second(breaker, 100, 700)) << "it neither counts nor excuses";
}

}  // namespace
}  // namespace hearthcast::tunnel
