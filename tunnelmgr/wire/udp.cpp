#include "tunnelmgr/wire/udp.hpp"

#include <cassert>

#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/ip4.hpp"

namespace hearthcast::wire {

Result<UdpDatagram> decode_udp(Bytes segment, const IpAddress& source, const IpAddress& destination) {
  Reader r(segment);
  UdpDatagram datagram;
  datagram.source_port = r.u16();
  datagram.destination_port = r.u16();
  const std::size_t length = r.u16();
  const std::uint16_t sum = r.u16();
  if (r.failed() || length > segment.size()) {
    return ParseError::kTruncated;
  }
  if (length < kUdpHeaderSize) {
    return ParseError::kBadLength;
  }
  if (sum == 0 && source.is_ip6()) {
    return ParseError::kBadChecksum;
  }
  if (sum != 0) {
    Checksum whole;
    whole.add_pseudo_header(source, destination, kProtocolUdp, static_cast<std::uint32_t>(length));
    whole.add(segment.first(length));
    if (whole.value() != 0) {
      return ParseError::kBadChecksum;
    }
  }
  datagram.payload = segment.subspan(kUdpHeaderSize, length - kUdpHeaderSize);
  return datagram;
}

std::uint16_t udp_checksum(const IpAddress& source, const IpAddress& destination, Bytes header,
                           Bytes payload) {
  Checksum sum;
  sum.add_pseudo_header(source, destination, kProtocolUdp,
                        static_cast<std::uint32_t>(header.size() + payload.size()));
  sum.add(header);
  sum.add(payload);
  const std::uint16_t value = sum.value();
  return value == 0 ? 0xFFFF : value;  // zero on the wire means that there is none
}

Buffer encode_udp(const UdpDatagram& datagram, const IpAddress& source, const IpAddress& destination) {
  assert(datagram.payload.size() + kUdpHeaderSize <= 0xFFFF);
  Buffer out;
  out.reserve(kUdpHeaderSize + datagram.payload.size());
  Writer w(out);
  w.u16(datagram.source_port);
  w.u16(datagram.destination_port);
  w.u16(static_cast<std::uint16_t>(kUdpHeaderSize + datagram.payload.size()));
  w.u16(0);
  w.patch_u16(6, udp_checksum(source, destination, out, datagram.payload));
  w.bytes(datagram.payload);
  return out;
}

}  // namespace hearthcast::wire
