#include "tunnelmgr/wire/pcp.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

const PcpNonce kNonce{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

const std::string kNonceText = "0102030405060708090a0b0c";
const std::string kInside = "00000000000000000000ffff c0a80002";   // 192.168.0.2
const std::string kOutside = "00000000000000000000ffff cb007107";  // 203.0.113.7

PcpMapRequest request() {
  return {.lifetime = 1200,
          .client = ip("192.168.0.2"),
          .nonce = kNonce,
          .internal_port = 4755,
          .suggested = {ip("203.0.113.7"), 4755}};
}

Buffer request_octets() {
  return hex("02 01 0000 000004b0" + kInside + kNonceText + "11 000000 1293 1293" + kOutside);
}

PcpAnswer answer() {
  return {.result = PcpResult::kSuccess,
          .lifetime = 600,
          .epoch = 77,
          .mapping = PcpMapping{kNonce, 4755, {ip("203.0.113.7"), 40000}}};
}

Buffer answer_octets() {
  return hex("02 81 00 00 00000258 0000004d 000000000000000000000000" + kNonceText + "11 000000 1293 9c40" +
             kOutside);
}

TEST(Pcp, RequestHasTheOctetsOfTheRfc) { EXPECT_EQ(encode_pcp(request()), request_octets()); }

TEST(Pcp, AnswerHasTheOctetsOfTheRfc) {
  EXPECT_EQ(encode_pcp(answer()), answer_octets());
  EXPECT_EQ(decode_pcp_answer(answer_octets()).value(), answer());
}

TEST(Pcp, RequestReadsBackInBothFamilies) {
  EXPECT_EQ(decode_pcp_request(request_octets()).value(), request());
  auto six = request();
  six.client = ip("2001:db8::2");
  six.suggested = {ip("::"), 0};
  EXPECT_EQ(decode_pcp_request(encode_pcp(six)).value(), six);
}

TEST(Pcp, AnnouncementHasNoMapping) {
  const Buffer octets = hex("02 80 00 00 00000000 00000003 000000000000000000000000");
  const auto decoded = decode_pcp_answer(octets);
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->mapping);
  EXPECT_EQ(decoded->epoch, 3U);
  EXPECT_EQ(encode_pcp(*decoded), octets);
}

TEST(Pcp, ErrorsKeepTheirMappingAndLifetime) {
  auto refused = answer();
  refused.result = PcpResult::kNotAuthorized;
  refused.lifetime = 1800;
  EXPECT_EQ(decode_pcp_answer(encode_pcp(refused)).value(), refused);
  refused.result = PcpResult{200};  // that nobody has defined yet
  EXPECT_EQ(decode_pcp_answer(encode_pcp(refused)).value(), refused);
}

TEST(Pcp, RefusesEveryPrefix) {
  expect_no_prefix_decodes(request_octets(), decode_pcp_request);
  expect_no_prefix_decodes(answer_octets(), [](Bytes octets) {
    const auto decoded = decode_pcp_answer(octets);
    return decoded && decoded->mapping;
  });
}

TEST(Pcp, PassesOptionsOver) {
  Buffer longer = answer_octets();
  longer.insert(longer.end(), {2, 0, 0, 0});  // PREFER_FAILURE
  EXPECT_EQ(decode_pcp_answer(longer).value(), answer());
}

TEST(Pcp, RefusesWhatIsNoAnswerToUs) {
  const auto with = [](std::size_t at, std::uint8_t value) {
    Buffer changed = answer_octets();
    changed[at] = value;
    return decode_pcp_answer(changed);
  };
  EXPECT_EQ(with(0, 1).error(), ParseError::kUnsupported);     // version
  EXPECT_EQ(with(1, 1).error(), ParseError::kUnknownType);     // a request
  EXPECT_EQ(with(1, 0x82).error(), ParseError::kUnknownType);  // PEER
  EXPECT_EQ(with(36, 6).error(), ParseError::kUnknownType);    // TCP
  Buffer odd = answer_octets();
  odd.push_back(0);
  EXPECT_EQ(decode_pcp_answer(odd).error(), ParseError::kBadLength);
  odd.resize(1104);
  EXPECT_EQ(decode_pcp_answer(odd).error(), ParseError::kBadLength);
}

TEST(Pcp, RefusesWhatIsNoRequestToMapUdp) {
  const auto with = [](std::size_t at, std::uint8_t value) {
    Buffer changed = request_octets();
    changed[at] = value;
    return decode_pcp_request(changed);
  };
  EXPECT_EQ(with(0, 0).error(), ParseError::kUnsupported);
  EXPECT_EQ(with(1, 0x81).error(), ParseError::kUnknownType);
  EXPECT_EQ(with(36, 6).error(), ParseError::kUnknownType);
}

}  // namespace
}  // namespace hearthcast::wire
