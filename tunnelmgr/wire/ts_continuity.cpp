#include "tunnelmgr/wire/ts_continuity.hpp"

namespace hearthcast::wire {

bool TsContinuity::on_packet(const TsPacket& packet) {
  if (packet.pid == kTsPidNull) {
    return true;
  }
  if (!last_) {
    last_ = std::make_unique<std::array<std::uint8_t, kTsPids>>();
    last_->fill(kUnknown);
  }
  std::uint8_t& last = (*last_)[packet.pid];
  if (last == kUnknown || packet.discontinuity) {
    last = packet.continuity;
    return true;
  }
  const std::uint8_t counter = last & 0x0F;
  if (!packet.has_payload) {
    if (packet.continuity == counter) {
      return true;
    }
  } else if (packet.continuity == ((counter + 1) & 0x0F)) {
    last = packet.continuity;
    return true;
  } else if (packet.continuity == counter && (last & kRepeated) == 0) {
    last |= kRepeated;
    return true;
  }
  last = packet.continuity;
  ++errors_;
  return false;
}

}  // namespace hearthcast::wire
