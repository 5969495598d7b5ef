#include "tunnelmgr/wire/nat_pmp.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

const char* const kAddressAnswer = "00 80 0000 00000064 cb007107";
const char* const kMapAnswer = "00 81 0000 00000064 1293 9c40 000004b0";

TEST(NatPmp, RequestsHaveTheOctetsOfTheRfc) {
  EXPECT_EQ(encode_nat_pmp_address_request(), hex("0000"));
  EXPECT_EQ(encode_nat_pmp(NatPmpMapRequest{4755, 4755, 1200}), hex("00 01 0000 1293 1293 000004b0"));
  EXPECT_EQ(encode_nat_pmp(NatPmpMapRequest{4755, 0, 0}), hex("00 01 0000 1293 0000 00000000"));
}

TEST(NatPmp, ReadsTheExternalAddress) {
  const auto answer = decode_nat_pmp_answer(hex(kAddressAnswer));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->external, ip("203.0.113.7"));
  EXPECT_EQ(answer->epoch, 100U);
  EXPECT_FALSE(answer->mapping);
  EXPECT_EQ(encode_nat_pmp(*answer), hex(kAddressAnswer));
}

TEST(NatPmp, ReadsAMapping) {
  const auto answer = decode_nat_pmp_answer(hex(kMapAnswer));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->mapping, (NatPmpMapping{4755, 40000, 1200}));
  EXPECT_FALSE(answer->external);
  EXPECT_EQ(encode_nat_pmp(*answer), hex(kMapAnswer));
}

TEST(NatPmp, AnErrorMayEndAfterTheEpoch) {  // as the answer to a version that the gateway does not know
  const auto answer = decode_nat_pmp_answer(hex("00 81 0001 00000005"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->result, NatPmpResult::kUnsupportedVersion);
  EXPECT_FALSE(answer->mapping);
  EXPECT_EQ(decode_nat_pmp_answer(hex("00 81 0002 00000005 1293 0000 00000000"))->result,
            NatPmpResult::kRefused);
}

TEST(NatPmp, RefusesEveryPrefix) {
  expect_no_prefix_decodes(hex(kAddressAnswer), decode_nat_pmp_answer);
  expect_no_prefix_decodes(hex(kMapAnswer), decode_nat_pmp_answer);
}

TEST(NatPmp, RefusesWhatIsNoAnswerToUs) {
  EXPECT_EQ(decode_nat_pmp_answer(hex("02 80 0000 00000064 cb007107")).error(), ParseError::kUnsupported);
  EXPECT_EQ(decode_nat_pmp_answer(hex("00 00 0000 00000064 cb007107")).error(), ParseError::kUnknownType);
  EXPECT_EQ(decode_nat_pmp_answer(hex("00 82 0000 00000064 1293 9c40 000004b0")).error(),
            ParseError::kUnknownType);  // TCP
  EXPECT_EQ(decode_nat_pmp_answer(hex(std::string(kMapAnswer) + "00")).error(), ParseError::kBadLength);
}

}  // namespace
}  // namespace hearthcast::wire
