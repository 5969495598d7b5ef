#include "appliance/sessions/inner_plan.hpp"

#include <gtest/gtest.h>

#include <set>

namespace hearthcast::sessions {
namespace {

IdentityId identity(std::uint8_t first) {
  IdentityId id;
  id.digest.fill(0xAB);
  id.digest[0] = first;
  return id;
}

TEST(InnerPlan, GivesEachDeviceANetworkOfItsOwn) {
  const InnerPlan plan(identity(0x12), *Prefix::parse("10.203.0.0/16"));
  const auto one = plan.of(DeviceId{1});
  EXPECT_EQ(one.ip6.to_string(), "fd12:abab:abab:1::2");
  EXPECT_EQ(one.box_ip6.to_string(), "fd12:abab:abab:1::1");
  EXPECT_EQ(one.ip4.to_string(), "10.203.0.3");
  EXPECT_EQ(one.box_ip4.to_string(), "10.203.0.1");
  const auto far = plan.of(DeviceId{0x1234});
  EXPECT_EQ(far.ip6.to_string(), "fd12:abab:abab:1234::2");
  EXPECT_EQ(far.ip4.to_string(), "10.203.18.54");
  EXPECT_EQ(plan.of(DeviceId{1}), one) << "the same again after a restart";
}

TEST(InnerPlan, TwoBoxesDoNotMeet) {
  const auto range = *Prefix::parse("10.203.0.0/16");
  EXPECT_NE(InnerPlan(identity(1), range).of(DeviceId{1}).box_ip6,
            InnerPlan(identity(2), range).of(DeviceId{1}).box_ip6);
}

TEST(InnerPlan, StaysInsideTheRangeWithWhateverNumber) {
  const auto range = *Prefix::parse("192.168.77.0/24");
  const InnerPlan plan(identity(1), range);
  std::set<IpAddress> seen;
  for (int number = 0; number < 1000; ++number) {
    const auto addresses = plan.of(DeviceId{number});
    EXPECT_TRUE(range.contains(addresses.ip4)) << addresses.ip4.to_string();
    EXPECT_NE(addresses.ip4, addresses.box_ip4);
    EXPECT_NE(addresses.ip4.bytes()[3], 0);
    EXPECT_NE(addresses.ip4.bytes()[3], 255);
    seen.insert(addresses.ip4);
  }
  EXPECT_EQ(seen.size(), 253U);
}

TEST(InnerPlan, TheOwnerMayChooseAPrivateRange) {
  for (const char* good : {"10.0.0.0/8", "172.16.5.0/24", "192.168.0.0/16", "100.64.0.0/10"}) {
    EXPECT_TRUE(parse_inner_ip4(good)) << good;
  }
  for (const char* bad : {"", "10.0.0.0", "10.0.0.1/24", "192.0.2.0/24", "10.0.0.0/25", "0.0.0.0/0",
                          "fd00::/16", "232.0.0.0/8", "elsewhere"}) {
    EXPECT_FALSE(parse_inner_ip4(bad)) << bad;
  }
}

}  // namespace
}  // namespace hearthcast::sessions
