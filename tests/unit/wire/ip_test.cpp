#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"

namespace hearthcast::wire {
namespace {

const Ip4Header kHeader4{.tos = 0xC0,
                         .identification = 7,
                         .dont_fragment = true,
                         .ttl = 1,
                         .protocol = kProtocolIgmp,
                         .source = ip("192.0.2.1"),
                         .destination = ip("224.0.0.22"),
                         .router_alert = true};

TEST(Ip4, HasTheRightOctets) {
  EXPECT_EQ(encode_ip4(kHeader4, hex("aabb")),
            hex("46c0001a 00074000 010241ff c0000201 e0000016 94040000 aabb"));
}

TEST(Ip4, ReadsBack) {
  for (const bool alert : {false, true}) {
    Ip4Header header = kHeader4;
    header.router_alert = alert;
    header.fragment_offset = 0x1FFF;
    header.more_fragments = true;
    const Buffer packet = encode_ip4(header, hex("0102"));
    const auto decoded = decode_ip4(packet);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->header, header);
    EXPECT_TRUE(decoded->header.is_fragment());
    EXPECT_TRUE(equal(decoded->payload, hex("0102")));
  }
}

TEST(Ip4, RefusesEveryPrefix) { expect_no_prefix_decodes(encode_ip4(kHeader4, hex("aabbcc")), decode_ip4); }

TEST(Ip4, IgnoresLinkPaddingButNotBadFields) {
  Buffer packet = encode_ip4(kHeader4, hex("aabb"));
  packet.push_back(0);
  EXPECT_EQ(decode_ip4(packet)->payload.size(), 2U);
  Buffer version = packet;
  version[0] = 0x66;
  EXPECT_EQ(decode_ip4(version).error(), ParseError::kUnknownType);
  Buffer ihl = packet;
  ihl[0] = 0x44;
  EXPECT_EQ(decode_ip4(ihl).error(), ParseError::kBadLength);
  Buffer total = packet;
  total[3] = 20;  // less than the header
  EXPECT_EQ(decode_ip4(total).error(), ParseError::kBadLength);
  Buffer sum = packet;
  sum[8] = 2;
  EXPECT_EQ(decode_ip4(sum).error(), ParseError::kBadChecksum);
}

TEST(Ip4, RefusesOptionsThatRunOverTheHeader) {
  // Router Alert of length 40 in 4 octets of options, with a right header checksum.
  EXPECT_EQ(decode_ip4(hex("46000018 00000000 010282a4 c0000201 e0000016 94280000")).error(),
            ParseError::kBadValue);
  // Length 0 would never advance.
  EXPECT_EQ(decode_ip4(hex("46000018 00000000 010282cc c0000201 e0000016 94000000")).error(),
            ParseError::kBadValue);
  // No operation, then end of options: fine.
  EXPECT_TRUE(decode_ip4(hex("46000018 00000000 010215cd c0000201 e0000016 01000000")));
}

const Ip6Header kHeader6{.traffic_class = 0x2E,
                         .flow_label = 0x12345,
                         .next_header = kProtocolIcmp6,
                         .hop_limit = 1,
                         .source = ip("fe80::2"),
                         .destination = ip("ff02::16"),
                         .router_alert = true};

TEST(Ip6, HasTheRightOctets) {
  EXPECT_EQ(encode_ip6(kHeader6, hex("8f00")),
            hex("62e12345 000a 00 01 fe800000000000000000000000000002 ff020000000000000000000000000016"
                "3a00 0502 0000 0100 8f00"));
}

TEST(Ip6, ReadsBack) {
  for (const bool alert : {false, true}) {
    Ip6Header header = kHeader6;
    header.router_alert = alert;
    const Buffer packet = encode_ip6(header, hex("010203"));
    const auto decoded = decode_ip6(packet);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->header, header);
    EXPECT_TRUE(equal(decoded->payload, hex("010203")));
  }
}

TEST(Ip6, RefusesEveryPrefix) { expect_no_prefix_decodes(encode_ip6(kHeader6, hex("aabbcc")), decode_ip6); }

Buffer with_hop_by_hop(const std::string& options) {
  Buffer packet = encode_ip6(kHeader6, {});
  const Buffer octets = hex(options);
  std::copy(octets.begin(), octets.end(), packet.begin() + 40);
  return packet;
}

TEST(Ip6, ReadsHopByHopOptionsAsRfc8200Says) {
  EXPECT_TRUE(decode_ip6(with_hop_by_hop("3a00 0502 0000 0000"))->header.router_alert);   // Pad1, twice
  EXPECT_FALSE(decode_ip6(with_hop_by_hop("3a00 0502 0001 0100"))->header.router_alert);  // RSVP's value
  EXPECT_TRUE(decode_ip6(with_hop_by_hop("3a00 3e02 0000 0100")));                        // may be skipped
  EXPECT_EQ(decode_ip6(with_hop_by_hop("3a00 7e02 0000 0100")).error(), ParseError::kUnsupported);
  EXPECT_EQ(decode_ip6(with_hop_by_hop("3a00 0506 0000 0100")).error(), ParseError::kBadLength);
  EXPECT_EQ(decode_ip6(with_hop_by_hop("3a01 0502 0000 0100")).error(), ParseError::kBadLength);
  EXPECT_EQ(decode_ip6(with_hop_by_hop("0000 0502 0000 0100")).error(), ParseError::kBadValue);
}

}  // namespace
}  // namespace hearthcast::wire
