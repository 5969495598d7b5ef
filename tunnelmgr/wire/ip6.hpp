// IPv6 headers (RFC 8200), with the hop-by-hop Router Alert option (RFC 2711) that MLD carries.
//
// A hop-by-hop header is read and hidden: next_header is the one after it. Options that a node may skip are
// tolerated and lost; one that it must not skip makes the packet kUnsupported. Other extension headers stay
// in the payload.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

struct Ip6Header {
  std::uint8_t traffic_class = 0;
  std::uint32_t flow_label = 0;  // 20 bits
  std::uint8_t next_header = 0;
  std::uint8_t hop_limit = 0;
  IpAddress source = IpAddress::any(Family::kIp6);
  IpAddress destination = IpAddress::any(Family::kIp6);
  bool router_alert = false;  // with value 0, "contains a MLD message"

  friend bool operator==(const Ip6Header&, const Ip6Header&) = default;
};

struct Ip6Packet {
  Ip6Header header;
  Bytes payload;  // into the input; ends where the payload length says
};

// Octets after the payload length are ignored. Jumbograms are not supported.
[[nodiscard]] Result<Ip6Packet> decode_ip6(Bytes packet);
// Both addresses must be IPv6; what follows the fixed header is at most 65535 octets.
[[nodiscard]] Buffer encode_ip6(const Ip6Header& header, Bytes payload);

}  // namespace hearthcast::wire
