#include "tunnelmgr/wire/membership_packet.hpp"

#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/igmp.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"
#include "tunnelmgr/wire/mld.hpp"

namespace hearthcast::wire {
namespace {

using Decoded = Result<MembershipPacket, MembershipError>;

MembershipError from(ParseError error) {
  switch (error) {
    case ParseError::kBadChecksum:
      return MembershipError::kBadChecksum;
    case ParseError::kUnknownType:
      return MembershipError::kNotMembership;
    default:
      return MembershipError::kMalformed;
  }
}

bool is_version3(const MembershipMessage& message) {
  const auto* query = std::get_if<MembershipQuery>(&message);
  return std::holds_alternative<MembershipReport>(message) || (query != nullptr && query->version >= 3);
}

Decoded decode6(Bytes ip_packet) {
  const auto ip = decode_ip6(ip_packet);
  if (!ip) {
    return from(ip.error());
  }
  const Ip6Header& h = ip->header;
  if (h.next_header != kProtocolIcmp6) {
    return MembershipError::kNotMembership;
  }
  const auto icmp = decode_icmp6(ip->payload, h.source, h.destination);
  if (!icmp) {
    return from(icmp.error());
  }
  auto message = decode_mld(*icmp);
  if (!message) {
    return from(message.error());
  }
  if (h.hop_limit != 1) {
    return MembershipError::kHopLimit;
  }
  if (!h.router_alert) {
    return MembershipError::kNoRouterAlert;
  }
  if (h.source.is_unspecified()) {
    return MembershipError::kUnspecifiedSource;
  }
  if (!h.source.is_link_local()) {
    return MembershipError::kSource;
  }
  return MembershipPacket{h.source, h.destination, std::move(*message)};
}

Decoded decode4(Bytes ip_packet) {
  const auto ip = decode_ip4(ip_packet);
  if (!ip) {
    return from(ip.error());
  }
  const Ip4Header& h = ip->header;
  if (h.protocol != kProtocolIgmp) {
    return MembershipError::kNotMembership;
  }
  if (h.is_fragment()) {
    return MembershipError::kMalformed;
  }
  auto message = decode_igmp(ip->payload);
  if (!message) {
    return from(message.error());
  }
  if (h.ttl != 1) {
    return MembershipError::kHopLimit;
  }
  if (!h.router_alert && is_version3(*message)) {
    return MembershipError::kNoRouterAlert;
  }
  if (h.source.is_multicast()) {
    return MembershipError::kSource;
  }
  return MembershipPacket{h.source, h.destination, std::move(*message)};
}

}  // namespace

const char* describe(MembershipError error) {
  switch (error) {
    case MembershipError::kNotMembership:
      return "not_membership";
    case MembershipError::kMalformed:
      return "malformed";
    case MembershipError::kBadChecksum:
      return "bad_checksum";
    case MembershipError::kHopLimit:
      return "hop_limit";
    case MembershipError::kNoRouterAlert:
      return "no_router_alert";
    case MembershipError::kUnspecifiedSource:
      return "unspecified_source";
    case MembershipError::kSource:
      return "source";
  }
  return "unknown";
}

Result<MembershipPacket, MembershipError> decode_membership_packet(Bytes ip_packet) {
  if (ip_packet.empty()) {
    return MembershipError::kMalformed;
  }
  return ip_packet[0] >> 4 == 4 ? decode4(ip_packet) : decode6(ip_packet);
}

void complete_membership_checksum(MutableBytes ip_packet) {
  constexpr std::size_t kField = 2;  // octet of the checksum, in ICMPv6 and in IGMP
  Bytes message;
  Checksum sum;
  if (const auto ip6 = decode_ip6(ip_packet); ip6 && ip6->header.next_header == kProtocolIcmp6) {
    message = ip6->payload;
    sum.add_pseudo_header(ip6->header.source, ip6->header.destination, kProtocolIcmp6,
                          static_cast<std::uint32_t>(message.size()));
  } else if (const auto ip4 = decode_ip4(ip_packet);
             ip4 && ip4->header.protocol == kProtocolIgmp && !ip4->header.is_fragment()) {
    message = ip4->payload;
  }
  if (message.size() < kField + 2) {
    return;
  }
  const auto at = static_cast<std::size_t>(message.data() - ip_packet.data()) + kField;
  ip_packet[at] = ip_packet[at + 1] = 0;
  sum.add(message);
  ip_packet[at] = static_cast<std::uint8_t>(sum.value() >> 8);
  ip_packet[at + 1] = static_cast<std::uint8_t>(sum.value() & 0xFF);
}

Buffer encode_membership_packet(const MembershipPacket& packet) {
  if (packet.source.is_ip4()) {
    return encode_ip4({.tos = 0xC0,  // internetwork control: RFC 3376 section 4
                       .dont_fragment = true,
                       .ttl = 1,
                       .protocol = kProtocolIgmp,
                       .source = packet.source,
                       .destination = packet.destination,
                       .router_alert = true},
                      encode_igmp(packet.message));
  }
  const MldEncoding mld = encode_mld(packet.message);
  return encode_ip6({.next_header = kProtocolIcmp6,
                     .hop_limit = 1,
                     .source = packet.source,
                     .destination = packet.destination,
                     .router_alert = true},
                    encode_icmp6({mld.type, 0, mld.body}, packet.source, packet.destination));
}

}  // namespace hearthcast::wire
