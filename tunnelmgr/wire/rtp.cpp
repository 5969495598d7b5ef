#include "tunnelmgr/wire/rtp.hpp"

#include <cassert>

namespace hearthcast::wire {

Result<RtpPacket> decode_rtp(Bytes datagram) {
  Reader r(datagram);
  RtpPacket packet;
  RtpHeader& h = packet.header;
  const std::uint8_t first = r.u8();
  const std::uint8_t second = r.u8();
  h.marker = (second & 0x80) != 0;
  h.payload_type = second & 0x7F;
  h.sequence = r.u16();
  h.timestamp = r.u32();
  h.ssrc = r.u32();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (first >> 6 != 2) {
    return ParseError::kUnknownType;
  }
  h.csrc = r.take((first & 0x0FU) * std::size_t{4});
  if ((first & 0x10) != 0) {
    h.extension_profile = r.u16();
    const std::size_t words = r.u16();
    h.extension = r.take(words * 4);
  }
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  packet.payload = r.rest();
  if ((first & 0x20) != 0) {
    const std::size_t padding = packet.payload.empty() ? 0 : packet.payload.back();
    if (padding == 0 || padding > packet.payload.size()) {
      return ParseError::kBadLength;
    }
    packet.payload = packet.payload.first(packet.payload.size() - padding);
  }
  return packet;
}

Buffer encode_rtp(const RtpHeader& h, Bytes payload) {
  assert(h.csrc.size() % 4 == 0 && h.csrc.size() <= 60 && h.extension.size() % 4 == 0);
  Buffer out;
  Writer w(out);
  w.u8(static_cast<std::uint8_t>(0x80 | (h.extension_profile ? 0x10 : 0) | h.csrc.size() / 4));
  w.u8(static_cast<std::uint8_t>((h.marker ? 0x80 : 0) | (h.payload_type & 0x7F)));
  w.u16(h.sequence);
  w.u32(h.timestamp);
  w.u32(h.ssrc);
  w.bytes(h.csrc);
  if (h.extension_profile) {
    w.u16(*h.extension_profile);
    w.u16(static_cast<std::uint16_t>(h.extension.size() / 4));
    w.bytes(h.extension);
  }
  w.bytes(payload);
  return out;
}

}  // namespace hearthcast::wire
