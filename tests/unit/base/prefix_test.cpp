#include "tunnelmgr/base/prefix.hpp"

#include <gmock/gmock.h>

namespace hearthcast {
namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
Prefix prefix(std::string_view text) { return *Prefix::parse(text); }

TEST(Prefix, IsPrintedAsItIsRead) {
  for (const char* text : {"239.0.0.0/8", "0.0.0.0/0", "::/0", "ff05::/16", "224.0.0.0/4", "2001:db8::/33"}) {
    ASSERT_TRUE(Prefix::parse(text)) << text;
    EXPECT_EQ(prefix(text).to_string(), text);
  }
  EXPECT_EQ(prefix("192.0.2.1/32").to_string(), "192.0.2.1");
  EXPECT_EQ(prefix("192.0.2.1"), Prefix::only(ip("192.0.2.1")));
  EXPECT_EQ(prefix("2001:db8::1").length, 128U);
}

TEST(Prefix, RefusesWhatIsNone) {
  for (const char* text : {"", "/8", "239.0.0.0/", "239.0.0.0/33", "ff05::/129", "239.1.0.0/8", "10.0.0.1/31",
                           "239.0.0.0/-1", "239.0.0.0/8x", "239.0.0.0/ 8", "channel/8", "ff05::1/64"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(Prefix, ContainsByBitsNotOctets) {
  EXPECT_TRUE(prefix("10.0.0.0/9").contains(ip("10.127.255.255")));
  EXPECT_FALSE(prefix("10.0.0.0/9").contains(ip("10.128.0.0")));
  EXPECT_TRUE(prefix("2001:db8:8000::/33").contains(ip("2001:db8:ffff::1")));
  EXPECT_FALSE(prefix("2001:db8:8000::/33").contains(ip("2001:db8:7fff::1")));
  EXPECT_TRUE(prefix("192.0.2.1").contains(ip("192.0.2.1")));
  EXPECT_FALSE(prefix("192.0.2.1").contains(ip("192.0.2.0")));
}

TEST(Prefix, EverythingOfOneFamilyIsNothingOfTheOther) {
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(ip("255.255.255.255")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(ip("::")));
  EXPECT_FALSE(prefix("::/0").contains(ip("0.0.0.0")));
}

TEST(Prefix, ContainsOtherPrefixes) {
  EXPECT_TRUE(prefix("239.0.0.0/8").contains(prefix("239.1.0.0/16")));
  EXPECT_FALSE(prefix("239.1.0.0/16").contains(prefix("239.0.0.0/8")));
}

TEST(Prefix, OfAnAddressForgetsItsHostBits) {
  EXPECT_EQ(Prefix::of(ip("192.0.2.77"), 24), prefix("192.0.2.0/24"));
  EXPECT_EQ(Prefix::of(ip("2001:db8::77"), 64), prefix("2001:db8::/64"));
  EXPECT_EQ(Prefix::of(ip("192.0.2.77"), 0), prefix("0.0.0.0/0"));
}

TEST(Prefix, ListsItsAddressesInOrder) {
  EXPECT_THAT(addresses_of(prefix("239.1.1.254/31")),
              testing::ElementsAre(ip("239.1.1.254"), ip("239.1.1.255")));
  EXPECT_THAT(addresses_of(prefix("ff05::1")), testing::ElementsAre(ip("ff05::1")));
  const auto many = addresses_of(prefix("239.1.252.0/22"));
  ASSERT_EQ(many.size(), 1024U);
  EXPECT_EQ(many[256], ip("239.1.253.0"));
  EXPECT_EQ(many.back(), ip("239.1.255.255"));
  EXPECT_EQ(addresses_of(prefix("ff05::1:0/112")).back(), ip("ff05::1:ffff"));
}

TEST(Prefix, SourceSpecificRangesAreThoseOfTheStandard) {
  const auto ranges = default_ssm_ranges();
  for (const char* text : {"232.0.0.0", "232.255.255.255", "ff3e::1", "ff35:0:ffff::1", "ff30::1"}) {
    EXPECT_TRUE(any_contains(ranges, ip(text))) << text;
  }
  for (const char* text : {"231.255.255.255", "233.0.0.0", "ff0e::1", "ff3e:1::1", "ff2e::1", "ff4e::1"}) {
    EXPECT_FALSE(any_contains(ranges, ip(text))) << text;
  }
}

}  // namespace
}  // namespace hearthcast
