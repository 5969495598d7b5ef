#include "tunnelmgr/wire/udp_packet.hpp"

#include <algorithm>
#include <cassert>

#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"
#include "tunnelmgr/wire/udp.hpp"

namespace hearthcast::wire {
namespace {

void put_u16(MutableBytes out, std::size_t at, std::size_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

void put(MutableBytes out, std::size_t at, Bytes value) {
  std::copy(value.begin(), value.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
}

void write_ip4(MutableBytes out, const UdpPacketHeader& h, std::size_t udp_size) {
  constexpr std::size_t kSize = 20;
  out[0] = 0x45;
  out[1] = h.traffic_class;
  put_u16(out, 2, kSize + udp_size);
  put_u16(out, 4, 0);
  put_u16(out, 6, 0x4000);  // DF: then an identification of 0 is right (RFC 6864)
  out[8] = h.hop_limit;
  out[9] = kProtocolUdp;
  put_u16(out, 10, 0);
  put(out, 12, h.source.address.bytes());
  put(out, 16, h.destination.address.bytes());
  put_u16(out, 10, checksum(out.first(kSize)));
}

void write_ip6(MutableBytes out, const UdpPacketHeader& h, std::size_t udp_size) {
  out[0] = static_cast<std::uint8_t>(0x60 | h.traffic_class >> 4);
  out[1] = static_cast<std::uint8_t>(h.traffic_class << 4);
  put_u16(out, 2, 0);
  put_u16(out, 4, udp_size);
  out[6] = kProtocolUdp;
  out[7] = h.hop_limit;
  put(out, 8, h.source.address.bytes());
  put(out, 24, h.destination.address.bytes());
}

// All but the UDP checksum; returns the octets written.
MutableBytes write_headers(MutableBytes headroom, const UdpPacketHeader& header, std::size_t payload_size) {
  assert(header.source.address.family() == header.destination.address.family());
  const std::size_t size = inner_header_size(header.source.address.family());
  assert(headroom.size() >= size && payload_size <= 65507);
  const MutableBytes out = headroom.last(size);
  const std::size_t udp_size = kUdpHeaderSize + payload_size;
  if (header.source.address.is_ip4()) {
    write_ip4(out, header, udp_size);
  } else {
    write_ip6(out, header, udp_size);
  }
  const MutableBytes udp = out.last(kUdpHeaderSize);
  put_u16(udp, 0, header.source.port);
  put_u16(udp, 2, header.destination.port);
  put_u16(udp, 4, udp_size);
  put_u16(udp, 6, 0);
  return out;
}

}  // namespace

std::size_t write_udp_packet_header(MutableBytes headroom, const UdpPacketHeader& header, Bytes payload) {
  const MutableBytes out = write_headers(headroom, header, payload.size());
  const MutableBytes udp = out.last(kUdpHeaderSize);
  put_u16(udp, 6, udp_checksum(header.source.address, header.destination.address, udp, payload));
  return out.size();
}

std::size_t write_udp_packet_header_for_offload(MutableBytes headroom, const UdpPacketHeader& header,
                                                std::size_t payload_size) {
  const MutableBytes out = write_headers(headroom, header, payload_size);
  Checksum pseudo;
  pseudo.add_pseudo_header(header.source.address, header.destination.address, kProtocolUdp,
                           static_cast<std::uint32_t>(kUdpHeaderSize + payload_size));
  put_u16(out.last(kUdpHeaderSize), 6, static_cast<std::uint16_t>(~pseudo.value()));
  return out.size();
}

Result<UdpPacket> decode_udp_packet(Bytes packet) {
  if (packet.empty()) {
    return ParseError::kTruncated;
  }
  UdpPacket result;
  UdpPacketHeader& h = result.header;
  Bytes segment;
  std::uint8_t protocol = 0;
  if (packet[0] >> 4 == 4) {
    const auto ip = decode_ip4(packet);
    if (!ip) {
      return ip.error();
    }
    if (ip->header.is_fragment()) {
      return ParseError::kUnsupported;
    }
    h.source.address = ip->header.source;
    h.destination.address = ip->header.destination;
    h.hop_limit = ip->header.ttl;
    h.traffic_class = ip->header.tos;
    protocol = ip->header.protocol;
    segment = ip->payload;
  } else {
    const auto ip = decode_ip6(packet);
    if (!ip) {
      return ip.error();
    }
    h.source.address = ip->header.source;
    h.destination.address = ip->header.destination;
    h.hop_limit = ip->header.hop_limit;
    h.traffic_class = ip->header.traffic_class;
    protocol = ip->header.next_header;
    segment = ip->payload;
  }
  if (protocol != kProtocolUdp) {
    return ParseError::kUnsupported;
  }
  const auto udp = decode_udp(segment, h.source.address, h.destination.address);
  if (!udp) {
    return udp.error();
  }
  h.source.port = udp->source_port;
  h.destination.port = udp->destination_port;
  result.payload = udp->payload;
  return result;
}

}  // namespace hearthcast::wire
