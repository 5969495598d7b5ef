#include "tunnelmgr/tunnel/flow_framing.hpp"

#include "tunnelmgr/wire/gre.hpp"

namespace hearthcast::tunnel {

Result<Bytes> FlowFramer::frame(MutableBytes slot, const Provenance& provenance) {
  if (provenance.hop_limit <= 1 || provenance.source.address.family() != destination_.address.family()) {
    return ParseError::kBadValue;
  }
  const Bytes payload = slot.subspan(kFrameHeadroom);
  wire::UdpPacketHeader header;
  header.source = provenance.source;
  header.destination = destination_;
  header.hop_limit = static_cast<std::uint8_t>(provenance.hop_limit - 1);
  header.traffic_class = provenance.traffic_class;
  std::size_t at = kFrameHeadroom;
  at -= wire::write_udp_packet_header(slot.first(at), header, payload);

  wire::GreHeader gre;
  gre.protocol = destination_.address.is_ip6() ? wire::kGreIp6 : wire::kGreIp4;
  gre.key = key_;
  gre.sequence = sequence_++;
  at -= wire::write_gre_header(slot.first(at), gre, slot.subspan(at));
  return Bytes(slot.subspan(at));
}

Result<MediaFrame> decode_media(const InnerPacket& inner) {
  const auto packet = wire::decode_udp_packet(inner.payload);
  if (!packet) {
    return packet.error();
  }
  if (!packet->header.destination.address.is_multicast()) {
    return ParseError::kBadValue;
  }
  return MediaFrame{FlowId{inner.key}, inner.sequence, packet->header, packet->payload};
}

}  // namespace hearthcast::tunnel
