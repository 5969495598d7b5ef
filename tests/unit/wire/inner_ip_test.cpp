#include "tunnelmgr/wire/inner_ip.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

const Buffer kEcho6 =
    hex("6000000000103a4020010db800000000000000000000000220010db800000000000000000000000180005067424200016162"
        "636465666768");
// IGMP from 192.0.2.7 to 224.0.0.22, with Router Alert.
const Buffer kReport4 = hex("46c00020 00000000 01020000 c0000207 e0000016 94040000 2200f9fd 00000000");

TEST(InnerIp, TellsWhatThePacketIs) {
  const auto six = check_inner_ip(kEcho6);
  ASSERT_TRUE(six);
  EXPECT_EQ(six->family(), Family::kIp6);
  EXPECT_EQ(six->source, ip("2001:db8::2"));
  EXPECT_EQ(six->destination, ip("2001:db8::1"));
  EXPECT_EQ(six->protocol, 58);
  const auto four = check_inner_ip(kReport4);
  ASSERT_TRUE(four);
  EXPECT_EQ(four->source, ip("192.0.2.7"));
  EXPECT_EQ(four->destination, ip("224.0.0.22"));
  EXPECT_EQ(four->protocol, 2);
  EXPECT_FALSE(six->is_nested() || four->is_nested());
}

TEST(InnerIp, LooksBehindAHopByHopHeader) {
  Buffer packet = kEcho6;
  packet[6] = 0;
  packet[40] = 41;
  EXPECT_EQ(check_inner_ip(packet)->protocol, 41);
  EXPECT_TRUE(check_inner_ip(packet)->is_nested());
}

TEST(InnerIp, TakesNothingShorterOrLongerThanItsHeaderSays) {
  expect_no_prefix_decodes(kEcho6, check_inner_ip);
  expect_no_prefix_decodes(kReport4, check_inner_ip);
  for (Buffer longer : {kEcho6, kReport4}) {
    longer.push_back(0);
    EXPECT_EQ(check_inner_ip(longer).error(), ParseError::kBadLength);
  }
  Buffer wrong = kReport4;
  wrong[0] = 0x44;  // a header of 16 octets
  EXPECT_EQ(check_inner_ip(wrong).error(), ParseError::kBadLength);
  wrong[0] = 0x4F;  // of more than there is
  EXPECT_EQ(check_inner_ip(wrong).error(), ParseError::kBadLength);
  EXPECT_EQ(check_inner_ip(hex("00")).error(), ParseError::kUnknownType);
}

TEST(InnerIp, SeesATunnelInside) {
  for (const std::uint8_t protocol : {kProtocolIp4, kProtocolIp6, kProtocolGre}) {
    Buffer packet = kReport4;
    packet[9] = protocol;
    EXPECT_TRUE(check_inner_ip(packet)->is_nested()) << int{protocol};
  }
}

TEST(InnerIp, DoesNotBelieveTheSourcesThatRfc4213Names) {
  for (const char* wrong :
       {"ff02::1", "::1", "::192.0.2.1", "::ffff:192.0.2.1", "224.0.0.1", "127.0.0.1", "255.255.255.255"}) {
    EXPECT_FALSE(is_credible_inner_source(ip(wrong))) << wrong;
  }
  for (const char* right :
       {"::", "fe80::1", "2001:db8::2", "::1:0:0:1", "0.0.0.0", "192.0.2.1", "10.0.0.1"}) {
    EXPECT_TRUE(is_credible_inner_source(ip(right))) << right;
  }
}

}  // namespace
}  // namespace hearthcast::wire
