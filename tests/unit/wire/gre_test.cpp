#include "tunnelmgr/wire/gre.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

// An ICMPv6 echo request from 2001:db8::2 to 2001:db8::1.
const Buffer kInner =
    hex("6000000000103a4020010db800000000000000000000000220010db800000000000000000000000180005067424200016162"
        "636465666768");

TEST(Gre, HasTheOctetsThatALinuxPeerTakes) {
  const GreHeader header{.protocol = kGreIp6, .key = 42, .sequence = 7};
  Buffer expected = hex("300086dd 0000002a 00000007");
  expected.insert(expected.end(), kInner.begin(), kInner.end());
  EXPECT_EQ(encode_gre(header, kInner), expected);

  const GreHeader with_checksum{.protocol = kGreIp6, .key = 42, .sequence = 7, .checksum = true};
  expected = hex("b00086dd 2eea0000 0000002a 00000007");
  expected.insert(expected.end(), kInner.begin(), kInner.end());
  EXPECT_EQ(encode_gre(with_checksum, kInner), expected);
}

TEST(Gre, ReadsBackEveryCombinationOfFields) {
  for (unsigned fields = 0; fields < 8; ++fields) {
    GreHeader header{.protocol = kGreControl, .checksum = (fields & 4) != 0};
    if ((fields & 1) != 0) {
      header.key = 0xFFFFFFFF;
    }
    if ((fields & 2) != 0) {
      header.sequence = 0;
    }
    const Buffer payload = hex("010203");  // odd: padded for the sum only
    const Buffer packet = encode_gre(header, payload);
    EXPECT_EQ(packet.size(), gre_header_size(header) + payload.size());
    const auto decoded = decode_gre(packet);
    ASSERT_TRUE(decoded) << fields;
    EXPECT_EQ(decoded->header, header);
    EXPECT_TRUE(equal(decoded->payload, payload));
    EXPECT_EQ(decoded->payload.data(), packet.data() + gre_header_size(header)) << "a view, no copy";
  }
}

TEST(Gre, WritesRightBeforeThePayload) {
  Buffer room(64, 0xEE);
  const auto size = write_gre_header(MutableBytes(room).first(32), {.protocol = kGreIp4, .key = 1}, {});
  EXPECT_EQ(size, 8U);
  EXPECT_EQ(room[23], 0xEE);
  EXPECT_TRUE(equal(Bytes(room).subspan(24, 8), hex("20000800 00000001")));
  EXPECT_EQ(room[32], 0xEE);
}

TEST(Gre, RefusesShortHeaders) {
  const Buffer header = hex("b00086dd 2eea0000 0000002a 00000007");
  for (std::size_t size = 0; size < header.size(); ++size) {
    const Buffer prefix(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(decode_gre(prefix)) << size;
  }
}

TEST(Gre, RefusesWhatRfc2784Discards) {
  EXPECT_EQ(decode_gre(hex("0001880b")).error(), ParseError::kUnsupported);  // PPTP
  EXPECT_EQ(decode_gre(hex("40000800")).error(), ParseError::kBadValue);     // routing
  EXPECT_EQ(decode_gre(hex("08000800")).error(), ParseError::kBadValue);     // bit 4, strict source route
  EXPECT_EQ(decode_gre(hex("04000800")).error(), ParseError::kBadValue);     // bit 5, recursion control
  EXPECT_TRUE(decode_gre(hex("03f80800")));                                  // bits 6 to 12 are ignored
}

TEST(Gre, RefusesAWrongChecksum) {
  Buffer packet = encode_gre({.protocol = kGreIp6, .checksum = true}, kInner);
  packet.back() ^= 1;
  EXPECT_EQ(decode_gre(packet).error(), ParseError::kBadChecksum);
}

}  // namespace
}  // namespace hearthcast::wire
