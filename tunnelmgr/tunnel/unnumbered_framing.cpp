#include "tunnelmgr/tunnel/unnumbered_framing.hpp"

#include <algorithm>
#include <cassert>

#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/inner_addresses.hpp"
#include "tunnelmgr/wire/ayiya.hpp"
#include "tunnelmgr/wire/inner_ip.hpp"

namespace hearthcast::tunnel {
namespace {

std::uint8_t next_header_of(Bytes ip_packet) {
  return ip_packet[0] >> 4 == 4 ? wire::kProtocolIp4 : wire::kProtocolIp6;
}

Bytes box_identity() {
  static const IpAddress kBox = box_link_local();
  return kBox.bytes();
}

}  // namespace

std::size_t unnumbered_size(Form form, std::size_t full) {
  return full - kMediaGreSize + (form == Form::kAyiya ? kMediaAyiyaSize : 0);
}

Bytes to_unnumbered(Bytes full, Form form, std::uint32_t epoch, MutableBytes room) {
  const Bytes packet = full.subspan(kMediaGreSize);
  if (form != Form::kAyiya) {
    return packet;
  }
  assert(room.size() >= kMediaAyiyaSize + packet.size());
  const wire::AyiyaPacket header{.identity_type = wire::AyiyaIdentityType::kInteger,
                                 .opcode = wire::AyiyaOpcode::kForward,
                                 .next_header = next_header_of(packet),
                                 .epoch = epoch,
                                 .identity = box_identity()};
  wire::write_ayiya_header(room.first(kMediaAyiyaSize), header);
  std::ranges::copy(packet, room.begin() + static_cast<std::ptrdiff_t>(kMediaAyiyaSize));
  return Bytes(room).first(kMediaAyiyaSize + packet.size());
}

Result<Bytes> open_unnumbered(Bytes record, Form form) {
  Bytes packet = record;
  if (form == Form::kAyiya) {
    const auto ayiya = wire::decode_ayiya(record);
    if (!ayiya) {
      return ayiya.error();
    }
    if (ayiya->identity_type != wire::AyiyaIdentityType::kInteger ||
        !equal(ayiya->identity, box_identity()) || ayiya->hash != wire::AyiyaHash::kNone ||
        ayiya->opcode != wire::AyiyaOpcode::kForward) {
      return ParseError::kBadValue;
    }
    packet = ayiya->payload;
    if (!packet.empty() && ayiya->next_header != next_header_of(packet)) {
      return ParseError::kBadValue;
    }
  }
  if (packet.empty()) {
    return ParseError::kTruncated;
  }
  if (packet[0] >> 4 != 4 && packet[0] >> 4 != 6) {
    return ParseError::kBadValue;
  }
  return packet;
}

}  // namespace hearthcast::tunnel
