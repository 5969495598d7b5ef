#include "tunnelmgr/playout/stream_check.hpp"

#include "tunnelmgr/playout/payload.hpp"
#include "tunnelmgr/wire/ts.hpp"

namespace hearthcast::playout {

void StreamCheck::on_datagram(Bytes datagram) {
  const auto payload = payload_of(datagram);
  rtp_ = payload.rtp;
  if (!wire::is_ts_datagram(payload.octets)) {
    ++foreign_;
    return;
  }
  for (auto left = payload.octets; !left.empty(); left = left.subspan(wire::kTsPacketSize)) {
    if (const auto packet = wire::decode_ts(left.first(wire::kTsPacketSize))) {
      continuity_.on_packet(*packet);
    }
  }
}

}  // namespace hearthcast::playout
