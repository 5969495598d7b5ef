#include "tunnelmgr/tunnel/unicast.hpp"

#include <algorithm>

#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/icmp6.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kHopLimit = 64;

// RFC 792: echo reply, destination unreachable, echo, time exceeded, parameter problem.
constexpr bool is_echo_or_error4(std::uint8_t type) {
  return type == 0 || type == 3 || type == 8 || type == 11 || type == 12;
}
// RFC 4443: the four errors, echo and its reply.
constexpr bool is_echo_or_error6(std::uint8_t type) {
  return (type >= 1 && type <= 4) || type == 128 || type == 129;
}

std::optional<UnicastPacket> checked(UnicastPacket packet) {
  if (packet.destination.is_multicast() || packet.source.is_multicast() || packet.payload.empty()) {
    return std::nullopt;
  }
  const std::uint8_t type = packet.payload[0];
  const bool passes =
      packet.protocol == kTcp ||
      (packet.source.is_ip4() ? packet.protocol == kIcmp && is_echo_or_error4(type)
                              : packet.protocol == wire::kProtocolIcmp6 && is_echo_or_error6(type));
  return passes ? std::optional(packet) : std::nullopt;
}

bool contains(const std::vector<IpAddress>& all, const IpAddress& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// From where that packet went, to where it came from.
Buffer back4(const UnicastPacket& to, Bytes icmp) {
  return wire::encode_ip4({.dont_fragment = true,
                           .ttl = kHopLimit,
                           .protocol = kIcmp,
                           .source = to.destination,
                           .destination = to.source},
                          icmp);
}
Buffer back6(const UnicastPacket& to, const wire::Icmp6Message& message) {
  return wire::encode_ip6({.next_header = wire::kProtocolIcmp6,
                           .hop_limit = kHopLimit,
                           .source = to.destination,
                           .destination = to.source},
                          wire::encode_icmp6(message, to.destination, to.source));
}

Buffer icmp4(std::uint8_t type, std::uint8_t code, Bytes body) {
  Buffer out;
  Writer writer(out);
  writer.u8(type);
  writer.u8(code);
  writer.u16(0);
  writer.bytes(body);
  writer.patch_u16(2, wire::checksum(out));
  return out;
}

// RFC 792, RFC 4443 section 3.1: four octets of zero, then as much of the packet as is needed to know it.
Buffer error_body(Bytes ip_packet) {
  constexpr std::size_t kEnough = 80;  // an IPv6 header and a TCP header with options
  Buffer body(4);
  const Bytes begin = ip_packet.first(std::min(ip_packet.size(), kEnough));
  body.insert(body.end(), begin.begin(), begin.end());
  return body;
}

std::optional<Buffer> answer4(const UnicastPacket& packet, Bytes ip_packet) {
  constexpr std::uint8_t kEcho = 8;
  constexpr std::uint8_t kEchoReply = 0;
  if (packet.protocol == kTcp) {
    return back4(packet, icmp4(3, 3, error_body(ip_packet)));
  }
  if (packet.payload[0] != kEcho || packet.payload.size() < 8 || wire::checksum(packet.payload) != 0) {
    return std::nullopt;
  }
  return back4(packet, icmp4(kEchoReply, 0, packet.payload.subspan(4)));
}

std::optional<Buffer> answer6(const UnicastPacket& packet, Bytes ip_packet) {
  constexpr std::uint8_t kEcho = 128;
  constexpr std::uint8_t kEchoReply = 129;
  if (packet.protocol == kTcp) {
    return back6(packet, {1, 4, error_body(ip_packet)});
  }
  const auto icmp = wire::decode_icmp6(packet.payload, packet.source, packet.destination);
  if (!icmp || icmp->type != kEcho || icmp->body.size() < 4) {
    return std::nullopt;
  }
  return back6(packet, {kEchoReply, 0, icmp->body});
}

}  // namespace

std::optional<UnicastPacket> decode_unicast(Bytes ip_packet) {
  if (ip_packet.empty()) {
    return std::nullopt;
  }
  if (ip_packet[0] >> 4 == 4) {
    const auto ip = wire::decode_ip4(ip_packet);
    if (!ip || ip->header.is_fragment()) {
      return std::nullopt;
    }
    return checked({ip->header.source, ip->header.destination, ip->header.protocol, ip->payload});
  }
  const auto ip = wire::decode_ip6(ip_packet);
  if (!ip) {
    return std::nullopt;
  }
  return checked({ip->header.source, ip->header.destination, ip->header.next_header, ip->payload});
}

std::optional<Buffer> prohibited(Bytes ip_packet, const IpAddress& box) {
  constexpr std::uint8_t kUdp = 17;
  UnicastPacket packet;
  if (const auto ip4 = wire::decode_ip4(ip_packet); ip4 && box.is_ip4()) {
    packet = {ip4->header.source, ip4->header.destination, ip4->header.protocol, ip4->payload};
    if (ip4->header.fragment_offset != 0) {
      return std::nullopt;
    }
  } else if (const auto ip6 = wire::decode_ip6(ip_packet); ip6 && box.is_ip6()) {
    packet = {ip6->header.source, ip6->header.destination, ip6->header.next_header, ip6->payload};
  } else {
    return std::nullopt;
  }
  const bool echo =
      !packet.payload.empty() && ((packet.protocol == kIcmp && packet.payload[0] == 8) ||
                                  (packet.protocol == wire::kProtocolIcmp6 && packet.payload[0] == 128));
  if (packet.source.is_multicast() || packet.source.is_unspecified() || packet.destination.is_multicast() ||
      (packet.protocol != kTcp && packet.protocol != kUdp && !echo)) {
    return std::nullopt;
  }
  packet.destination = box;
  return box.is_ip4() ? back4(packet, icmp4(3, 13, error_body(ip_packet)))
                      : back6(packet, {1, 1, error_body(ip_packet)});
}

bool UnicastEnds::to_box(const UnicastPacket& packet) const {
  return contains(device_, packet.source) && contains(box_, packet.destination);
}

bool UnicastEnds::of_device(const IpAddress& address) const { return contains(device_, address); }

bool UnicastEnds::to_device(const UnicastPacket& packet) const {
  return contains(box_, packet.source) && contains(device_, packet.destination);
}

std::optional<Buffer> answer(const UnicastPacket& packet, Bytes ip_packet) {
  return packet.source.is_ip4() ? answer4(packet, ip_packet) : answer6(packet, ip_packet);
}

}  // namespace hearthcast::tunnel
