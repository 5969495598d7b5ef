#include "tunnelmgr/wire/rtp.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

TEST(Rtp, HasTheRightOctets) {
  EXPECT_EQ(encode_rtp({.marker = true,
                        .payload_type = kRtpPayloadMp2t,
                        .sequence = 0x1234,
                        .timestamp = 90000,
                        .ssrc = 0xCAFEF00D},
                       hex("4700")),
            hex("80a11234 00015f90 cafef00d 4700"));
}

TEST(Rtp, FindsThePayloadBehindEverything) {
  // Padding of 3, an extension of one word, two contributing sources.
  const Buffer datagram = hex("b221ffff 00000001 00000002 0000000a 0000000b bede0001 01020304 4711 000003");
  const auto packet = decode_rtp(datagram);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->header.sequence, 0xFFFF);
  EXPECT_EQ(packet->header.payload_type, 33);
  EXPECT_FALSE(packet->header.marker);
  EXPECT_TRUE(equal(packet->header.csrc, hex("0000000a0000000b")));
  EXPECT_EQ(packet->header.extension_profile, 0xBEDE);
  EXPECT_TRUE(equal(packet->header.extension, hex("01020304")));
  EXPECT_TRUE(equal(packet->payload, hex("4711")));
  const Buffer again = encode_rtp(packet->header, packet->payload);  // the same without its padding
  EXPECT_TRUE(equal(Bytes(again).subspan(1), Bytes(datagram).subspan(1, datagram.size() - 4)));
}

TEST(Rtp, RefusesShortHeaders) {
  const Buffer header = hex("9221ffff 00000001 00000002 0000000a 0000000b bede0001 01020304");
  expect_no_prefix_decodes(header, decode_rtp);
}

TEST(Rtp, RefusesWhatIsWrong) {
  EXPECT_EQ(decode_rtp(hex("40210000 00000000 00000000")).error(), ParseError::kUnknownType);
  EXPECT_EQ(decode_rtp(hex("a0210000 00000000 00000000")).error(), ParseError::kBadLength)
      << "no padding there";
  EXPECT_EQ(decode_rtp(hex("a0210000 00000000 00000000 00")).error(), ParseError::kBadLength)
      << "padding of 0";
  EXPECT_EQ(decode_rtp(hex("a0210000 00000000 00000000 4703")).error(), ParseError::kBadLength)
      << "over the start";
  EXPECT_TRUE(decode_rtp(hex("a0210000 00000000 00000000 4702"))->payload.empty());
}

}  // namespace
}  // namespace hearthcast::wire
