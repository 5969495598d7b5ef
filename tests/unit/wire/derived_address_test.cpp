#include "tunnelmgr/wire/derived_address.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

TEST(DerivedAddress, LinkLocalAddressesAreThoseThatLinuxGives) {
  EXPECT_EQ(sixinfour_link_local(ip("192.0.2.7")), ip("fe80::c000:207"));
  EXPECT_EQ(gre_link_local(ip("192.0.2.7")), ip("fe80::5efe:c000:207"));
}

TEST(SixToFour, EveryAddressNamesItsEnd) {
  EXPECT_EQ(sixtofour_prefix(ip("192.0.2.4")), prefix("2002:c000:204::/48"));
  EXPECT_EQ(sixtofour_endpoint(ip("2002:c000:204::1")), ip("192.0.2.4"));
  EXPECT_EQ(sixtofour_endpoint(sixtofour_prefix(ip("203.0.113.9")).address), ip("203.0.113.9"));
}

TEST(SixToFour, LeadsNowhereThatATunnelCannotEnd) {
  for (const char* wrong :
       {"2002:a00:1::1", "2002:c0a8:101::1", "2002:7f00:1::1", "2002:e000:1::1", "2002:a9fe:1::1",
        "2002:0:1::1", "2002:ffff:ffff::1", "2002:c058:6301::1", "2001:db8::1", "192.0.2.4"}) {
    EXPECT_FALSE(sixtofour_endpoint(ip(wrong))) << wrong;
  }
}

// The example of RFC 5969 section 4: prefix 2001:db8::/32, IPv4 10/8.
const SixRd kDomain{.prefix = Prefix::of(*IpAddress::parse("2001:db8::"), 32),
                    .ip4_mask_length = 8,
                    .ip4_network = *IpAddress::parse("10.0.0.0"),
                    .relays = {*IpAddress::parse("10.0.0.1")}};

TEST(SixRdDomain, DelegatesAndFindsBack) {
  ASSERT_TRUE(kDomain.is_sound());
  EXPECT_EQ(kDomain.delegated(ip("10.100.100.1")), prefix("2001:db8:6464:100::/56"));
  EXPECT_EQ(kDomain.endpoint(ip("2001:db8:6464:100::5")), ip("10.100.100.1"));
  EXPECT_FALSE(kDomain.endpoint(ip("2001:db9::1")));
  EXPECT_FALSE(kDomain.endpoint(ip("10.100.100.1")));
}

TEST(SixRdDomain, WorksAtBothEndsOfTheMask) {
  SixRd whole = kDomain;  // 6to4's own shape
  whole.ip4_mask_length = 0;
  EXPECT_EQ(whole.delegated(ip("192.0.2.4")), prefix("2001:db8:c000:204::/64"));
  EXPECT_EQ(whole.endpoint(ip("2001:db8:c000:204::1")), ip("192.0.2.4"));
  SixRd none = kDomain;
  none.ip4_mask_length = 32;
  none.ip4_network = ip("192.0.2.4");
  EXPECT_EQ(none.delegated(ip("192.0.2.4")), prefix("2001:db8::/32"));
  EXPECT_EQ(none.endpoint(ip("2001:db8:ffff::1")), ip("192.0.2.4"));
}

TEST(SixRdDomain, IsUnsoundWithoutRoomForTheAddress) {
  SixRd domain = kDomain;
  domain.prefix.length = 41;  // 41 + 24 > 64
  EXPECT_FALSE(domain.is_sound());
  EXPECT_FALSE(domain.endpoint(ip("2001:db8::1")));
  domain = kDomain;
  domain.ip4_mask_length = 33;
  EXPECT_FALSE(domain.is_sound());
}

TEST(SixRdOption, HasTheOctetsOfTheStandard) {
  const Buffer option = hex("08 20 20010db8000000000000000000000000 0a000001");
  EXPECT_EQ(encode_sixrd_option(kDomain), option);
  const auto decoded = decode_sixrd_option(option, ip("10.100.100.1"));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, kDomain);
}

TEST(SixRdOption, RefusesWhatCannotBe) {
  const Buffer option = hex("08 20 20010db8000000000000000000000000 0a000001");
  const auto decode = [](Bytes octets) { return decode_sixrd_option(octets, ip("10.1.2.3")); };
  expect_no_prefix_decodes(option, decode);
  Buffer wrong = option;
  wrong.push_back(1);
  EXPECT_EQ(decode(wrong).error(), ParseError::kBadLength);
  wrong = option;
  wrong[0] = 33;
  EXPECT_EQ(decode(wrong).error(), ParseError::kBadValue);
  wrong = option;
  wrong[1] = 129;
  EXPECT_EQ(decode(wrong).error(), ParseError::kBadValue);
  EXPECT_EQ(decode_sixrd_option(option, ip("::1")).error(), ParseError::kBadValue);
}

}  // namespace
}  // namespace hearthcast::wire
