#include "tunnelmgr/linux/return_addresses.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace hearthcast::linux {
namespace {

using namespace std::chrono_literals;

const Time t0{1000s};

Endpoint remote(int number) {
  return {IpAddress::ip4(0xC0000200U + static_cast<std::uint32_t>(number)), 4000};
}
const IpAddress kOne = *IpAddress::parse("198.51.100.1");
const IpAddress kTwo = *IpAddress::parse("198.51.100.2");

TEST(ReturnAddresses, TellsWhereAnEndpointWasHeardLast) {
  ReturnAddresses returns;
  EXPECT_FALSE(returns.find(remote(1), t0));
  returns.learn(remote(1), kOne, t0);
  EXPECT_EQ(returns.find(remote(1), t0), kOne);
  returns.learn(remote(1), kTwo, t0 + 1s);
  EXPECT_EQ(returns.find(remote(1), t0 + 1s), kTwo);
}

TEST(ReturnAddresses, PortAndFamilyAreOfTheEndpoint) {
  ReturnAddresses returns;
  const Endpoint six{*IpAddress::parse("2001:db8::1"), 4000};
  const IpAddress ours = *IpAddress::parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
  returns.learn(six, ours, t0);
  EXPECT_EQ(returns.find(six, t0), ours);
  EXPECT_FALSE(returns.find({six.address, 4001}, t0));
  // The same octets in the other family.
  EXPECT_FALSE(returns.find({IpAddress::ip4(0x20010DB8), 4000}, t0));
}

TEST(ReturnAddresses, WhoIsSilentForLongIsTheKernelsToChoose) {
  ReturnAddresses returns;
  returns.learn(remote(1), kOne, t0);
  EXPECT_EQ(returns.find(remote(1), t0 + 20s), kOne);
  EXPECT_FALSE(returns.find(remote(1), t0 + 21s));
  returns.learn(remote(1), kOne, t0 + 21s);
  EXPECT_EQ(returns.find(remote(1), t0 + 21s), kOne);
  EXPECT_EQ(returns.find(remote(1), t0 + 20s), kOne) << "another thread's clock reading may be older";
}

TEST(ReturnAddresses, ForgetsOneOrAllAndLearnsAgain) {
  ReturnAddresses returns;
  returns.learn(remote(1), kOne, t0);
  int other = 2;  // the first that has a slot of its own
  for (returns.learn(remote(other), kTwo, t0); !returns.find(remote(1), t0);
       returns.learn(remote(other), kTwo, t0)) {
    returns.learn(remote(1), kOne, t0);
    ++other;
  }
  returns.forget(remote(1));
  EXPECT_FALSE(returns.find(remote(1), t0));
  EXPECT_EQ(returns.find(remote(other), t0), kTwo);
  returns.learn(remote(1), kOne, t0);
  EXPECT_EQ(returns.find(remote(1), t0), kOne);
  returns.forget_all();
  EXPECT_FALSE(returns.find(remote(1), t0));
  EXPECT_FALSE(returns.find(remote(other), t0));
}

TEST(ReturnAddresses, WhoTookASlotIsNotForgottenForAnother) {
  ReturnAddresses returns;
  returns.learn(remote(0), kOne, t0);
  int taker = 1;
  for (; returns.find(remote(0), t0); ++taker) {
    returns.learn(remote(taker), kTwo, t0);
  }
  returns.forget(remote(0));
  EXPECT_EQ(returns.find(remote(taker - 1), t0), kTwo);
}

TEST(ReturnAddresses, AFloodPushesOutButNeverMixesUp) {
  ReturnAddresses returns;
  for (int n = 0; n < 5000; ++n) {
    returns.learn(remote(n), n % 2 == 0 ? kTwo : kOne, t0);
    ASSERT_EQ(returns.find(remote(n), t0), n % 2 == 0 ? kTwo : kOne);
  }
  int known = 0;
  for (int n = 0; n < 5000; ++n) {
    if (const auto found = returns.find(remote(n), t0)) {
      ++known;
      ASSERT_EQ(*found, n % 2 == 0 ? kTwo : kOne);
    }
  }
  EXPECT_GT(known, 0);
  EXPECT_LE(known, 512);
}

// One endpoint's two addresses have nothing in common but the first octets: a torn read would show.
TEST(ReturnAddresses, AReaderSeesOneAddressOrTheOther) {
  ReturnAddresses returns;
  const Endpoint peer{*IpAddress::parse("2001:db8::1"), 4000};
  const IpAddress ones = *IpAddress::parse("1111:1111:1111:1111:1111:1111:1111:1111");
  const IpAddress twos = *IpAddress::parse("2222:2222:2222:2222:2222:2222:2222:2222");
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done.load()) {
      if (const auto found = returns.find(peer, t0)) {
        EXPECT_TRUE(*found == ones || *found == twos) << found->to_string();
      }
      returns.forget(peer);
    }
  });
  for (int n = 0; n < 50'000; ++n) {
    returns.learn(peer, n % 2 == 0 ? ones : twos, t0);
  }
  done.store(true);
  reader.join();
}

}  // namespace
}  // namespace hearthcast::linux
