#include "tunnelmgr/playout/payload.hpp"

#include "tunnelmgr/wire/rtp.hpp"

namespace hearthcast::playout {

Payload payload_of(Bytes datagram) {
  constexpr std::uint8_t kVersionMask = 0xC0;
  constexpr std::uint8_t kRtpVersion2 = 0x80;
  if (datagram.empty() || (datagram[0] & kVersionMask) != kRtpVersion2) {
    return {datagram, false};
  }
  const auto packet = wire::decode_rtp(datagram);
  if (!packet) {
    return {datagram, false};
  }
  return {packet->payload, true};
}

}  // namespace hearthcast::playout
