#include "tunnelmgr/wire/ts.hpp"

namespace hearthcast::wire {
namespace {

// False: the field's flags promise more than its length holds.
bool read_adaptation(Bytes field, TsPacket& packet) {
  if (field.empty()) {
    return true;  // one octet of stuffing
  }
  Reader r(field);
  const std::uint8_t flags = r.u8();
  packet.discontinuity = (flags & 0x80) != 0;
  packet.random_access = (flags & 0x40) != 0;
  if ((flags & 0x10) != 0) {
    const std::uint64_t high = r.u32();
    const std::uint64_t low = r.u16();
    packet.pcr = (high << 1 | low >> 15) * 300 + (low & 0x1FF);
  }
  return !r.failed();
}

}  // namespace

Result<TsPacket> decode_ts(Bytes octets) {
  if (octets.size() < kTsPacketSize) {
    return ParseError::kTruncated;
  }
  if (octets.size() > kTsPacketSize) {
    return ParseError::kBadLength;
  }
  Reader r(octets);
  TsPacket packet;
  if (r.u8() != kTsSync) {
    return ParseError::kUnknownType;
  }
  const std::uint16_t word = r.u16();
  packet.transport_error = (word & 0x8000) != 0;
  packet.payload_unit_start = (word & 0x4000) != 0;
  packet.pid = word & 0x1FFF;
  const std::uint8_t last = r.u8();
  packet.scrambling = last >> 6;
  packet.has_payload = (last & 0x10) != 0;
  packet.continuity = last & 0x0F;
  if ((last & 0x30) == 0) {
    return ParseError::kBadValue;  // neither adaptation field nor payload: reserved
  }
  if ((last & 0x20) != 0) {
    const std::size_t length = r.u8();
    const Bytes field = r.take(length);
    if (r.failed() || !read_adaptation(field, packet)) {
      return ParseError::kBadLength;
    }
  }
  if (packet.has_payload) {
    packet.payload = r.rest();
  }
  return packet;
}

bool is_ts_datagram(Bytes datagram) {
  if (datagram.empty() || datagram.size() % kTsPacketSize != 0) {
    return false;
  }
  for (std::size_t at = 0; at < datagram.size(); at += kTsPacketSize) {
    if (datagram[at] != kTsSync) {
      return false;
    }
  }
  return true;
}

}  // namespace hearthcast::wire
