#include "tunnelmgr/tunnel/compact_receiver.hpp"

#include <algorithm>

namespace hearthcast::tunnel {

void CompactReceiver::learn(FlowId flow, const FlowAddresses& addresses) {
  if (flows_.size() >= kMaxFlows && !flows_.contains(flow)) {
    flows_.erase(std::ranges::min_element(flows_, {}, [](const auto& one) { return one.second.used; }));
  }
  flows_[flow] = {addresses, ++packets_};
}

// Consecutive numbers of a flow have slots of their own; flows share them.
std::optional<Bytes> CompactReceiver::join(const CompactPacket& packet) {
  if (slots_.empty()) {
    slots_.resize(kSlots);
  }
  const auto number = packet.sequence + static_cast<std::uint32_t>(packet.flow.value) * 29;
  Slot& slot = slots_[number % kSlots];
  const bool same = slot.waiting && slot.flow == packet.flow && slot.sequence == packet.sequence;
  const auto middle = slot.octets.begin() + static_cast<std::ptrdiff_t>(kMaxCompactPayload);
  if (!same || slot.index == packet.index) {
    incomplete_ += slot.waiting && !same ? 1 : 0;
    slot.waiting = true;
    slot.index = packet.index;
    slot.flow = packet.flow;
    slot.sequence = packet.sequence;
    slot.size = packet.part.size();
    // A second fragment that came first lies where the first can be put before it.
    std::copy(packet.part.begin(), packet.part.end(), packet.index == 0 ? slot.octets.begin() : middle);
    return std::nullopt;
  }
  slot.waiting = false;
  const std::size_t whole = slot.size + packet.part.size();
  if (whole > kMaxCompactPayload) {
    ++malformed_;
    return std::nullopt;
  }
  if (packet.index == 1) {
    std::copy(packet.part.begin(), packet.part.end(),
              slot.octets.begin() + static_cast<std::ptrdiff_t>(slot.size));
    return Bytes(slot.octets).first(whole);
  }
  std::copy(packet.part.begin(), packet.part.end(), middle - static_cast<std::ptrdiff_t>(packet.part.size()));
  return Bytes(slot.octets).subspan(kMaxCompactPayload - packet.part.size(), whole);
}

std::optional<ReceivedMedia> CompactReceiver::on_packet(const InnerPacket& inner) {
  const auto packet = decode_compact(inner);
  if (!packet) {
    ++malformed_;
    return std::nullopt;
  }
  if (packet->addresses) {
    learn(packet->flow, *packet->addresses);
  }
  std::optional<Bytes> payload = packet->part;
  if (packet->count > 1) {
    payload = join(*packet);
    if (!payload) {
      return std::nullopt;
    }
  }
  const auto known = flows_.find(packet->flow);
  if (known == flows_.end()) {
    ++unknown_;
    return std::nullopt;
  }
  known->second.used = ++packets_;
  const FlowAddresses& addresses = known->second.addresses;
  MediaFrame media;
  media.flow = packet->flow;
  media.sequence = packet->sequence;
  media.header.source = {addresses.source, packet->source_port};
  media.header.destination = {addresses.group, packet->destination_port};
  media.header.hop_limit = packet->hop_limit;
  media.header.traffic_class = packet->traffic_class;
  media.payload = *payload;
  return ReceivedMedia{media, packet->count > 1 ? MediaForm::kFragments : MediaForm::kCompact};
}

void CompactReceiver::reset() {
  flows_.clear();
  for (Slot& slot : slots_) {
    slot.waiting = false;
  }
}

}  // namespace hearthcast::tunnel
