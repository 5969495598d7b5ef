#include "tunnelmgr/wire/gue.hpp"

#include <cassert>

#include "tunnelmgr/wire/inner_ip.hpp"

namespace hearthcast::wire {
namespace {

constexpr unsigned kControl = 0x20;
constexpr unsigned kLength = 0x1F;

}  // namespace

Result<GuePacket> decode_gue(Bytes datagram) {
  Reader r(datagram);
  const std::uint8_t first = r.u8();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  switch (first >> 6) {
    case 0:
      break;
    case 1:
      if (first >> 4 == 4) {
        return GuePacket{kProtocolIp4, datagram};
      }
      if (first >> 4 == 6) {
        return GuePacket{kProtocolIp6, datagram};
      }
      return ParseError::kBadValue;
    default:
      return ParseError::kUnsupported;
  }
  GuePacket packet;
  packet.protocol = r.u8();
  const std::uint16_t flags = r.u16();
  r.take(std::size_t{4} * (first & kLength));
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if ((first & kControl) != 0 || flags != 0) {
    return ParseError::kUnsupported;
  }
  packet.payload = r.rest();
  return packet;
}

std::size_t write_gue_header(MutableBytes headroom, std::uint8_t protocol) {
  assert(headroom.size() >= kGueHeaderSize);
  const MutableBytes out = headroom.last(kGueHeaderSize);
  out[0] = 0;
  out[1] = protocol;
  out[2] = 0;
  out[3] = 0;
  return kGueHeaderSize;
}

Buffer encode_gue(const GuePacket& packet) {
  Buffer out(kGueHeaderSize);
  write_gue_header(out, packet.protocol);
  out.insert(out.end(), packet.payload.begin(), packet.payload.end());
  return out;
}

}  // namespace hearthcast::wire
