#include "appliance/forward/inner_gate.hpp"

#include <algorithm>

#include "tunnelmgr/tunnel/tcp_segment.hpp"
#include "tunnelmgr/tunnel/unicast.hpp"

namespace hearthcast::forward {
namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::size_t kHeader4 = 20;
constexpr std::size_t kHeader6 = 40;

struct Segment {
  IpAddress source;
  IpAddress destination;
  tunnel::TcpPorts ports;
};

// A packet that is an IP header without anything beside it, and a TCP segment to its end. Source routes and
// whatever else options may ask of a kernel never reach it.
std::optional<Segment> plain_tcp(Bytes ip_packet) {
  const auto packet = tunnel::decode_unicast(ip_packet);
  const std::size_t header = packet && packet->source.is_ip4() ? kHeader4 : kHeader6;
  if (!packet || packet->protocol != kTcp || ip_packet.size() != header + packet->payload.size() ||
      packet->payload.data() != ip_packet.data() + header) {
    return std::nullopt;
  }
  const auto ports = tunnel::decode_tcp_ports(packet->payload);
  return ports ? std::optional(Segment{packet->source, packet->destination, *ports}) : std::nullopt;
}

// Membership and echo: others answer these for the box, and none of them is for the kernel.
bool is_of_others(Bytes ip_packet) {
  const bool ip4 = ip_packet.size() >= kHeader4 && ip_packet[0] >> 4 == 4;
  const bool ip6 = ip_packet.size() >= kHeader6 && ip_packet[0] >> 4 == 6;
  if ((ip4 && ip_packet[16] >> 4 == 0xe) || (ip6 && ip_packet[24] == 0xff)) {
    return true;
  }
  const auto packet = tunnel::decode_unicast(ip_packet);
  return packet && packet->protocol != kTcp;
}

}  // namespace

void InnerGate::admit(PeerId peer, const tunnel::InnerAddresses& addresses) {
  expel(peer);
  members_.emplace(peer, addresses);
  by_address_.emplace(addresses.ip6, peer);
  by_address_.emplace(addresses.ip4, peer);
}

void InnerGate::expel(PeerId peer) {
  members_.erase(peer);
  std::erase_if(by_address_, [&](const auto& entry) { return entry.second == peer; });
}

bool InnerGate::is_served(std::uint16_t port) const {
  return std::ranges::find(ports_, port) != ports_.end();
}

bool InnerGate::passes_in(PeerId peer, Bytes ip_packet) {
  if (is_of_others(ip_packet)) {
    return false;
  }
  const auto member = members_.find(peer);
  const auto segment = member == members_.end() ? std::nullopt : plain_tcp(ip_packet);
  if (!segment || segment->source.is_link_local()) {  // as whom the box meets them, it serves nothing
    ++counters_.refused;
    return false;
  }
  const auto owner = by_address_.find(segment->source);
  if (owner == by_address_.end() || owner->second != peer) {
    ++counters_.spoofed;
    return false;
  }
  const auto& addresses = member->second;
  const bool to_box =
      segment->destination == (segment->source.is_ip4() ? addresses.box_ip4 : addresses.box_ip6);
  if (!to_box || !is_served(segment->ports.destination)) {
    ++counters_.refused;
    return false;
  }
  ++counters_.to_box;
  return true;
}

std::optional<PeerId> InnerGate::passes_out(Bytes ip_packet) {
  const auto segment = plain_tcp(ip_packet);
  const auto owner = segment ? by_address_.find(segment->destination) : by_address_.end();
  if (owner != by_address_.end()) {
    const auto& addresses = members_.at(owner->second);
    const bool from_box =
        segment->source == (segment->destination.is_ip4() ? addresses.box_ip4 : addresses.box_ip6);
    if (from_box && is_served(segment->ports.source)) {
      ++counters_.from_box;
      return owner->second;
    }
  }
  ++counters_.kept_here;
  return std::nullopt;
}

}  // namespace hearthcast::forward
