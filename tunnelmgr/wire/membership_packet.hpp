// MLD and IGMP as whole IP packets, with the rules on hop limit, Router Alert and source that both ends must
// check.
//
// RFC 3810 sections 5.1.14, 5.2.13, 6.2; RFC 3376 sections 4, 9.1.
#pragma once

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/wire/membership_message.hpp"

namespace hearthcast::wire {

inline const IpAddress kAllMld2Routers = *IpAddress::parse("ff02::16");
inline const IpAddress kAllNodes6 = *IpAddress::parse("ff02::1");
inline const IpAddress kAllIgmp3Routers = *IpAddress::parse("224.0.0.22");
inline const IpAddress kAllHosts4 = *IpAddress::parse("224.0.0.1");

struct MembershipPacket {
  IpAddress source;
  IpAddress destination;
  MembershipMessage message;
};

// Why a packet does not count. kNotMembership: an IP packet of another kind. kUnspecifiedSource: MLD from
// `::`, as a host without an address sends it for the sake of switches; routers must not heed it. kSource:
// MLD from an address that is not link-local, IGMP from a multicast address.
enum class MembershipError {
  kNotMembership,
  kMalformed,
  kBadChecksum,
  kHopLimit,
  kNoRouterAlert,
  kUnspecifiedSource,
  kSource
};
inline constexpr std::size_t kMembershipErrors = 7;  // how many there are
[[nodiscard]] const char* describe(MembershipError error);

// MLD: hop limit 1, Router Alert and a link-local source are required. IGMP: TTL 1, Router Alert for IGMPv3
// messages; 0.0.0.0 is a good source.
[[nodiscard]] Result<MembershipPacket, MembershipError> decode_membership_packet(Bytes ip_packet);
// The family is that of `source`; hop limit 1 and Router Alert are set.
[[nodiscard]] Buffer encode_membership_packet(const MembershipPacket& packet);

// Writes the ICMPv6 or IGMP checksum into a whole packet that lacks it. Does nothing to other packets.
void complete_membership_checksum(MutableBytes ip_packet);

}  // namespace hearthcast::wire
