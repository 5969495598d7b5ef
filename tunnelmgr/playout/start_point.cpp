#include "tunnelmgr/playout/start_point.hpp"

namespace hearthcast::playout {
namespace {

// The start of a packetised elementary stream of video: ISO/IEC 13818-1 section 2.4.3.7.
bool starts_video(const wire::TsPacket& packet) {
  const auto& p = packet.payload;
  return packet.payload_unit_start && p.size() >= 4 && p[0] == 0 && p[1] == 0 && p[2] == 1 &&
         (p[3] & 0xF0) == 0xE0;
}

}  // namespace

void StartPoint::on_packet(const wire::TsPacket& packet, std::uint64_t offset) {
  if (packet.pid == wire::kTsPidPat && packet.payload_unit_start) {
    table_ = offset;
  } else if (packet.random_access && table_ && starts_video(packet)) {
    picture_ = table_;
  }
}

std::optional<std::uint64_t> StartPoint::from(std::uint64_t oldest) const {
  if (picture_) {
    return *picture_ >= oldest ? picture_ : std::nullopt;
  }
  return table_ && *table_ >= oldest ? table_ : std::nullopt;
}

}  // namespace hearthcast::playout
