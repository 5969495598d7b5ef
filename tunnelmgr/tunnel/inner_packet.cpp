#include "tunnelmgr/tunnel/inner_packet.hpp"

#include "tunnelmgr/wire/gre.hpp"

namespace hearthcast::tunnel {

Result<InnerPacket> decode_inner_packet(Bytes gre) {
  const auto packet = wire::decode_gre(gre);
  if (!packet) {
    return packet.error();
  }
  const auto& header = packet->header;
  if (header.key.has_value() != header.sequence.has_value()) {
    return ParseError::kBadValue;
  }
  InnerPacket inner;
  inner.payload = packet->payload;
  const bool media = header.key.has_value();
  if (header.protocol == wire::kGreControl && !media) {
    inner.kind = InnerKind::kControl;
  } else if (header.protocol == wire::kGreCompact && media) {
    inner.kind = InnerKind::kCompact;
    inner.key = *header.key;
    inner.sequence = *header.sequence;
  } else if (header.protocol == wire::kGreIp4 || header.protocol == wire::kGreIp6) {
    inner.kind = media ? InnerKind::kMedia : InnerKind::kMembership;
    inner.key = header.key.value_or(0);
    inner.sequence = header.sequence.value_or(0);
  } else {
    return ParseError::kUnknownType;
  }
  return inner;
}

Buffer encode_membership(Bytes ip_packet) {
  wire::GreHeader header;
  header.protocol = !ip_packet.empty() && ip_packet[0] >> 4 == 6 ? wire::kGreIp6 : wire::kGreIp4;
  return wire::encode_gre(header, ip_packet);
}

}  // namespace hearthcast::tunnel
