#include "tunnelmgr/wire/gue.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

const Buffer kIp6 = hex("6000000000003b40");
const Buffer kIp4 = hex("45000014");

TEST(Gue, HasTheOctetsThatLinuxSends) {
  Buffer expected = hex("00290000");
  expected.insert(expected.end(), kIp6.begin(), kIp6.end());
  EXPECT_EQ(encode_gue({41, kIp6}), expected);
}

TEST(Gue, ReadsBackVersionZero) {
  const Buffer out = encode_gue({47, kIp4});
  const auto decoded = decode_gue(out);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->protocol, 47);
  EXPECT_EQ(decoded->payload.data(), out.data() + kGueHeaderSize);
  EXPECT_TRUE(equal(decoded->payload, kIp4));
}

TEST(Gue, WritesRightBeforeThePayload) {
  Buffer room(12, 0xEE);
  EXPECT_EQ(write_gue_header(MutableBytes(room).first(8), 41), 4U);
  EXPECT_EQ(room, hex("eeeeeeee 00290000 eeeeeeee"));
}

TEST(Gue, KnowsVersionOneByTheIpPacketItself) {
  EXPECT_EQ(decode_gue(kIp6)->protocol, 41);
  EXPECT_EQ(decode_gue(kIp4)->protocol, 4);
  EXPECT_TRUE(equal(decode_gue(kIp6)->payload, kIp6));
  EXPECT_EQ(decode_gue(hex("5000")).error(), ParseError::kBadValue);
  EXPECT_EQ(decode_gue(hex("7000")).error(), ParseError::kBadValue);
}

TEST(Gue, StepsOverFieldsThatNoFlagGivesAMeaning) {
  const Buffer octets = hex("01290000 aabbccdd 6001");
  const auto decoded = decode_gue(octets);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(equal(decoded->payload, hex("6001")));
}

TEST(Gue, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(decode_gue(hex("20010000")).error(), ParseError::kUnsupported) << "control";
  EXPECT_EQ(decode_gue(hex("00298000")).error(), ParseError::kUnsupported) << "flags";
  EXPECT_EQ(decode_gue(hex("80290000")).error(), ParseError::kUnsupported) << "version 2";
}

TEST(Gue, RefusesShortHeaders) {
  expect_no_prefix_decodes(hex("02290000 aabbccdd 00112233"), decode_gue);
  EXPECT_EQ(decode_gue({}).error(), ParseError::kTruncated);
}

}  // namespace
}  // namespace hearthcast::wire
