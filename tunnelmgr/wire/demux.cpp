#include "tunnelmgr/wire/demux.hpp"

#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::wire {

DatagramKind classify(Bytes datagram) {
  if (datagram.empty()) {
    return DatagramKind::kOther;
  }
  const std::uint8_t first = datagram[0];
  if (first >= 20 && first <= 63) {
    return DatagramKind::kDtls;  // any record type, so that DTLS 1.3 stays possible
  }
  return is_stun(datagram) ? DatagramKind::kStun : DatagramKind::kOther;
}

}  // namespace hearthcast::wire
