#include "tunnelmgr/datapath/source_budget.hpp"

#include <gtest/gtest.h>

namespace hearthcast::datapath {
namespace {

using namespace std::chrono_literals;

const Time t0 = Time{} + 1h;
const IpAddress kAttacker = *IpAddress::parse("198.51.100.66");
const IpAddress kDevice = *IpAddress::parse("203.0.113.5");

int taken(SourceBudget& budget, const IpAddress& from, Time now, int of) {
  int count = 0;
  for (int i = 0; i < of; ++i) {
    count += budget.take(from, now) ? 1 : 0;
  }
  return count;
}

TEST(SourceBudget, OneSourceHasItsShareAtOnceAndASecond) {
  SourceBudget budget;
  EXPECT_EQ(taken(budget, kAttacker, t0, 10000), 500);
  EXPECT_EQ(taken(budget, kAttacker, t0 + 100ms, 10000), 50);
  EXPECT_EQ(taken(budget, kAttacker, t0 + 1h, 10000), 500) << "and never saves up more";
}

TEST(SourceBudget, AFloodFromOneDoesNotTouchAnother) {
  SourceBudget budget;
  int of_attacker = 0;
  for (Time now = t0; now < t0 + 10s; now += 1ms) {  // ten thousand a second
    of_attacker += taken(budget, kAttacker, now, 10);
    if ((now - t0) % 50ms == 0ms) {
      EXPECT_TRUE(budget.take(kDevice, now)) << "a check each 50 ms, as ICE paces them";
    }
  }
  EXPECT_LE(of_attacker, 500 * 11);
  EXPECT_GE(of_attacker, 500 * 10);
}

TEST(SourceBudget, AFloodFromEverywhereIsBoundedInAll) {
  SourceBudget budget;
  int count = 0;
  for (Time now = t0; now < t0 + 5s; now += 1ms) {
    for (std::uint32_t source = 0; source < 100; ++source) {
      count += budget.take(IpAddress::ip4(0x0a000000 + source * 7919), now) ? 1 : 0;
    }
  }
  EXPECT_LE(count, 2000 * 6);
  EXPECT_GE(count, 2000 * 5);
}

TEST(SourceBudget, OneSiteIsOneSource) {
  SourceBudget budget;
  int count = 0;
  for (int host = 0; host < 1000; ++host) {
    const auto address =
        IpAddress::parse("2001:db8:0:1" + std::to_string(host % 10) + "::" + std::to_string(host));
    count += budget.take(*address, t0) ? 1 : 0;
  }
  EXPECT_EQ(count, 500);
  EXPECT_TRUE(budget.take(*IpAddress::parse("2001:db8:0:200::1"), t0));
}

}  // namespace
}  // namespace hearthcast::datapath
