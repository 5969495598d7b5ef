#include "tunnelmgr/playout/stream_buffer.hpp"

#include "tunnelmgr/playout/payload.hpp"

namespace hearthcast::playout {

void StreamBuffer::on_datagram(Bytes datagram) {
  const auto payload = payload_of(datagram);
  rtp_ = payload.rtp;
  if (wire::is_ts_datagram(payload.octets)) {
    std::uint64_t offset = ring_.end();
    for (auto left = payload.octets; !left.empty(); left = left.subspan(wire::kTsPacketSize)) {
      if (const auto packet = wire::decode_ts(left.first(wire::kTsPacketSize))) {
        continuity_.on_packet(*packet);
        start_point_.on_packet(*packet, offset);
      }
      offset += wire::kTsPacketSize;
    }
  }
  ring_.append(payload.octets);
}

std::uint64_t StreamBuffer::start() const {
  return start_point_.from(ring_.begin()).value_or(ring_.begin() == 0 ? 0 : ring_.end());
}

}  // namespace hearthcast::playout
