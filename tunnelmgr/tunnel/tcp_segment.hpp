// The little that a tunnel's ends look at in a TCP segment (RFC 9293): its ports, and how large segments its
// sender takes. Pure. Big-endian.
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::tunnel {

struct TcpPorts {
  std::uint16_t source = 0;
  std::uint16_t destination = 0;
  friend bool operator==(const TcpPorts&, const TcpPorts&) = default;
};

// nullopt: not a whole TCP header, with the options that its length promises.
[[nodiscard]] std::optional<TcpPorts> decode_tcp_ports(Bytes segment);

// A SYN without ACK. `segment` passed decode_tcp_ports().
[[nodiscard]] bool begins_connection(Bytes segment);

// Where the segment begins in a packet of IPv4 or IPv6 without options or extension headers.
[[nodiscard]] constexpr std::size_t plain_header_size(Bytes plain_packet) {
  return plain_packet[0] >> 4 == 4 ? 20 : 40;
}

// What fits into a tunnel on the narrowest path that one works on, whatever is known of it: 1200 octets of
// IPv4 or 1280 of IPv6 outside, with a relay's header, the seal and IPv6 inside.
inline constexpr std::uint16_t kLargestTcpSegment = 1060;

// Lowers the maximum segment size that a SYN offers (RFC 9293 section 3.7.1), and keeps the checksum right.
// Anything else stays as it is. `segment` passed decode_tcp_ports().
void limit_segment_size(MutableBytes segment, std::uint16_t most = kLargestTcpSegment);

// Other ends for a whole packet of TCP, IPv4 or IPv6 of the same family without options or extension headers,
// in place; both checksums stay as right as they were.
void readdress(MutableBytes plain_packet, const Endpoint& source, const Endpoint& destination);

}  // namespace hearthcast::tunnel
