#include "appliance/api/throttle.hpp"

#include <gtest/gtest.h>

namespace hearthcast::api {
namespace {

using namespace std::chrono_literals;

class ThrottleTest : public testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) {
      throttle.failed(source, now);
    }
  }
  Throttle throttle;
  IpAddress source = *IpAddress::parse("192.0.2.1");
  Time now = Time{} + 10h;
};

TEST_F(ThrottleTest, FourMistakesAreFreeThenTheWaitDoubles) {
  fail(4);
  EXPECT_EQ(throttle.wait(source, now), 0s);
  fail(1);
  EXPECT_EQ(throttle.wait(source, now), 1s);
  EXPECT_EQ(throttle.wait(source, now + 1s), 0s);
  fail(1);
  EXPECT_EQ(throttle.wait(source, now), 2s);
  fail(3);
  EXPECT_EQ(throttle.wait(source, now), 16s);
}

TEST_F(ThrottleTest, TenMistakesCloseTheDoorUntilTheWindowIsOver) {
  fail(10);
  EXPECT_EQ(throttle.wait(source, now), 15min);
  EXPECT_EQ(throttle.wait(source, now + 14min), 1min);
  EXPECT_EQ(throttle.wait(source, now + 15min), 0s);
  now += 15min;
  fail(1);
  EXPECT_EQ(throttle.wait(source, now), 0s);
}

TEST_F(ThrottleTest, OneSourceDoesNotCloseItForAnother) {
  fail(10);
  EXPECT_EQ(throttle.wait(*IpAddress::parse("192.0.2.2"), now), 0s);
}

TEST_F(ThrottleTest, AnIpv6NetworkIsOneSource) {
  source = *IpAddress::parse("2001:db8:1:2::1");
  fail(10);
  EXPECT_GT(throttle.wait(*IpAddress::parse("2001:db8:1:2:ffff::9"), now), 0s);
  EXPECT_EQ(throttle.wait(*IpAddress::parse("2001:db8:1:3::1"), now), 0s);
}

TEST_F(ThrottleTest, SuccessForgives) {
  fail(9);
  throttle.succeeded(source);
  EXPECT_EQ(throttle.wait(source, now), 0s);
}

TEST_F(ThrottleTest, ACrowdOfSourcesDoesNotGrowItWithoutBound) {
  fail(10);
  for (std::uint32_t i = 0; i < 4096; ++i) {
    throttle.failed(IpAddress::ip4(0x0a000000 + i), now + 1s);
  }
  EXPECT_EQ(throttle.wait(source, now + 1s), 0s);  // the oldest made room
  EXPECT_EQ(throttle.wait(IpAddress::ip4(0x0a000000), now + 1s), 0s);
}

}  // namespace
}  // namespace hearthcast::api
