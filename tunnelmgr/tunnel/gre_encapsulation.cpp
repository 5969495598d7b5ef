#include "tunnelmgr/tunnel/gre_encapsulation.hpp"

#include "tunnelmgr/wire/gre.hpp"

namespace hearthcast::tunnel {
namespace {

std::uint16_t protocol_of(Bytes ip_packet) {
  return !ip_packet.empty() && ip_packet[0] >> 4 == 6 ? wire::kGreIp6 : wire::kGreIp4;
}

}  // namespace

std::size_t GreEncapsulation::header_size() const {
  return 4U + (settings_.checksum ? 4U : 0U) + (settings_.key ? 4U : 0U) + (settings_.sequence ? 4U : 0U);
}

void GreEncapsulation::seal(MutableBytes slot, const Moment&) {
  const Bytes packet = slot.subspan(header_size());
  wire::GreHeader header;
  header.protocol = protocol_of(packet);
  header.key = settings_.key;
  header.checksum = settings_.checksum;
  if (settings_.sequence) {
    header.sequence = next_++;
  }
  wire::write_gre_header(slot.first(header_size()), header, packet);
}

bool GreEncapsulation::is_new(std::uint32_t sequence, Time now) const {
  return !last_received_ || now - last_at_ >= kRestart ||
         static_cast<std::int32_t>(sequence - *last_received_) > 0;
}

Result<Opened, Drop> GreEncapsulation::open(Bytes datagram, const Moment& moment) {
  const auto packet = wire::decode_gre(datagram);
  if (!packet) {
    return packet.error() == ParseError::kBadChecksum ? Drop::kChecksum : Drop::kMalformed;
  }
  const wire::GreHeader& header = packet->header;
  if (header.key != settings_.key) {
    return Drop::kKey;
  }
  if (settings_.checksum && !header.checksum) {
    return Drop::kChecksum;
  }
  if (settings_.sequence && (!header.sequence || !is_new(*header.sequence, moment.now))) {
    return Drop::kSequence;
  }
  if (header.protocol != protocol_of(packet->payload)) {
    return Drop::kMalformed;
  }
  auto opened = open_inner(packet->payload);
  if (opened && settings_.sequence) {
    last_received_ = header.sequence;
    last_at_ = moment.now;
  }
  return opened;
}

}  // namespace hearthcast::tunnel
