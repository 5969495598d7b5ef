#include "tunnelmgr/wire/membership_packet.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/igmp.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"
#include "tunnelmgr/wire/mld.hpp"

namespace hearthcast::wire {
namespace {

const MembershipReport kReport6{{{RecordType::kChangeToInclude, ip("ff3e::1"), {ip("2001:db8::1")}}}};
const MembershipReport kReport4{{{RecordType::kChangeToExclude, ip("239.1.1.1"), {}}}};
const MembershipPacket kPacket6{ip("fe80::1:7"), kAllMld2Routers, kReport6};
const MembershipPacket kPacket4{ip("0.0.0.0"), kAllIgmp3Routers, kReport4};

// What the packet is refused for; nullopt when it is taken.
std::optional<MembershipError> refusal(Bytes packet) {
  const auto decoded = decode_membership_packet(packet);
  return decoded ? std::nullopt : std::optional(decoded.error());
}

TEST(MembershipPacket, Mld2ReportHasTheRightOctets) {
  EXPECT_EQ(
      encode_membership_packet(kPacket6),
      hex("60000000 0034 00 01 fe800000000000000000000000010007 ff020000000000000000000000000016"
          "3a00 0502 0000 0100"
          "8f00 42fb 0000 0001 0300 0001 ff3e0000000000000000000000000001 20010db8000000000000000000000001"));
}

TEST(MembershipPacket, Igmp3ReportHasTheRightOctets) {
  EXPECT_EQ(encode_membership_packet(kPacket4),
            hex("46c00028 00004000 010203fa 00000000 e0000016 94040000 2200e9fb 00000001 04000000 ef010101"));
}

TEST(MembershipPacket, ReadsBack) {
  for (const auto& packet : {kPacket4, kPacket6}) {
    const Buffer octets = encode_membership_packet(packet);
    const auto decoded = decode_membership_packet(octets);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->source, packet.source);
    EXPECT_EQ(decoded->destination, packet.destination);
    EXPECT_EQ(decoded->message, packet.message);
    expect_no_prefix_decodes(octets, decode_membership_packet);
  }
}

Buffer mld_packet(Ip6Header header) {
  const auto mld = encode_mld(kReport6);
  header.next_header = kProtocolIcmp6;
  header.destination = kAllMld2Routers;
  return encode_ip6(header, encode_icmp6({mld.type, 0, mld.body}, header.source, header.destination));
}

TEST(MembershipPacket, ChecksMldByReason) {
  const Ip6Header good{.hop_limit = 1, .source = ip("fe80::2"), .router_alert = true};
  EXPECT_EQ(refusal(mld_packet(good)), std::nullopt);
  Ip6Header bad = good;
  bad.hop_limit = 2;
  EXPECT_EQ(refusal(mld_packet(bad)), MembershipError::kHopLimit);
  bad = good;
  bad.router_alert = false;
  EXPECT_EQ(refusal(mld_packet(bad)), MembershipError::kNoRouterAlert);
  bad = good;
  bad.source = ip("2001:db8::2");
  EXPECT_EQ(refusal(mld_packet(bad)), MembershipError::kSource);
  bad.source = ip("::");
  EXPECT_EQ(refusal(mld_packet(bad)), MembershipError::kUnspecifiedSource);
  Buffer changed = mld_packet(good);
  changed.back() ^= 1;
  EXPECT_EQ(refusal(changed), MembershipError::kBadChecksum);
}

Buffer igmp_packet(Ip4Header header, const MembershipMessage& message) {
  header.protocol = kProtocolIgmp;
  header.destination = kAllIgmp3Routers;
  return encode_ip4(header, encode_igmp(message));
}

TEST(MembershipPacket, ChecksIgmpByReason) {
  const Ip4Header good{.ttl = 1, .router_alert = true};
  EXPECT_EQ(refusal(igmp_packet(good, kReport4)), std::nullopt);
  Ip4Header bad = good;
  bad.ttl = 2;
  EXPECT_EQ(refusal(igmp_packet(bad, kReport4)), MembershipError::kHopLimit);
  bad = good;
  bad.router_alert = false;
  EXPECT_EQ(refusal(igmp_packet(bad, kReport4)), MembershipError::kNoRouterAlert);
  EXPECT_EQ(refusal(igmp_packet(bad, OldReport{2, ip("239.1.1.1")})), std::nullopt)
      << "older hosts have none";
  bad = good;
  bad.source = ip("224.0.0.5");
  EXPECT_EQ(refusal(igmp_packet(bad, kReport4)), MembershipError::kSource);
  bad = good;
  bad.more_fragments = true;
  EXPECT_EQ(refusal(igmp_packet(bad, kReport4)), MembershipError::kMalformed);
}

TEST(MembershipPacket, OtherPacketsAreNoMembership) {
  EXPECT_EQ(refusal({}), MembershipError::kMalformed);
  EXPECT_EQ(refusal(encode_ip4({.ttl = 1, .protocol = 17}, hex("00"))), MembershipError::kNotMembership);
  EXPECT_EQ(refusal(encode_ip6({.next_header = 17, .hop_limit = 1}, {})), MembershipError::kNotMembership);
  const Buffer solicitation = encode_icmp6({133, 0, hex("00000000")}, ip("fe80::2"), ip("ff02::2"));
  EXPECT_EQ(refusal(encode_ip6({.next_header = kProtocolIcmp6,
                                .hop_limit = 255,
                                .source = ip("fe80::2"),
                                .destination = ip("ff02::2")},
                               solicitation)),
            MembershipError::kNotMembership);
  for (int i = 0; i <= static_cast<int>(MembershipError::kSource); ++i) {
    EXPECT_STRNE(describe(static_cast<MembershipError>(i)), "unknown");
  }
}

}  // namespace
}  // namespace hearthcast::wire
