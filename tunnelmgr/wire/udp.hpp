// UDP (RFC 768) as the payload of an IPv4 or IPv6 packet whose addresses are known.
//
// For the data plane, which writes IP and UDP headers in place, see udp_packet.hpp.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::size_t kUdpHeaderSize = 8;

struct UdpDatagram {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  Bytes payload;  // into the input
};

// Checks length and checksum. A zero checksum is accepted over IPv4 ("none") and refused over IPv6 (RFC 8200
// section 8.1).
[[nodiscard]] Result<UdpDatagram> decode_udp(Bytes segment, const IpAddress& source,
                                             const IpAddress& destination);
// The value of the checksum field, never 0. `header` is the 8 octets with a zero checksum field.
[[nodiscard]] std::uint16_t udp_checksum(const IpAddress& source, const IpAddress& destination, Bytes header,
                                         Bytes payload);
[[nodiscard]] Buffer encode_udp(const UdpDatagram& datagram, const IpAddress& source,
                                const IpAddress& destination);

}  // namespace hearthcast::wire
