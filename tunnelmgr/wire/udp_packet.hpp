// A whole IP and UDP packet as the data plane handles it: headers written in place before a payload, read
// without a copy. Nothing here allocates.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

struct UdpPacketHeader {
  Endpoint source;
  Endpoint destination;            // of the same family
  std::uint8_t hop_limit = 0;      // or TTL
  std::uint8_t traffic_class = 0;  // or TOS: DSCP and ECN

  friend bool operator==(const UdpPacketHeader&, const UdpPacketHeader&) = default;
};

struct UdpPacket {
  UdpPacketHeader header;
  Bytes payload;  // into the input
};

inline constexpr std::size_t kMaxInnerHeaderSize = 48;
// Octets of IP and UDP header together: 28 for IPv4, 48 for IPv6.
[[nodiscard]] constexpr std::size_t inner_header_size(Family family) {
  return family == Family::kIp4 ? 28 : 48;
}

// Writes the headers into the last inner_header_size() octets of `headroom`, so that the payload may follow
// it in memory, and returns how many octets that were. Flow label 0; IPv4 without options, identification 0
// and DF set; the UDP checksum covers the payload. `headroom` must be large enough, the payload at most 65507
// octets.
std::size_t write_udp_packet_header(MutableBytes headroom, const UdpPacketHeader& header, Bytes payload);

// The same for a kernel that completes the UDP checksum itself or needs none (virtio_net_hdr, NEEDS_CSUM):
// the field holds the sum of the pseudo header only, so the payload is not touched. `payload_size`: of all
// datagrams that follow, when the kernel is to part them.
std::size_t write_udp_packet_header_for_offload(MutableBytes headroom, const UdpPacketHeader& header,
                                                std::size_t payload_size);

// Refuses fragments, extension headers, wrong lengths and wrong checksums.
[[nodiscard]] Result<UdpPacket> decode_udp_packet(Bytes packet);

}  // namespace hearthcast::wire
