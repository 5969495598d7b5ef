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
  Endpoint source;
  Endpoint destination;
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
  if (!ports) {
    return std::nullopt;
  }
  return Segment{{packet->source, ports->source}, {packet->destination, ports->destination}};
}

struct Ends {
  IpAddress source;
  IpAddress destination;
};

// The addresses of whatever it is; nullopt: not even a whole header.
std::optional<Ends> ends_of(Bytes ip_packet) {
  const bool ip4 = ip_packet.size() >= kHeader4 && ip_packet[0] >> 4 == 4;
  const bool ip6 = ip_packet.size() >= kHeader6 && ip_packet[0] >> 4 == 6;
  if (!ip4 && !ip6) {
    return std::nullopt;
  }
  const std::size_t size = ip4 ? 4 : 16;
  const std::size_t at = ip4 ? 12 : 8;
  return Ends{*IpAddress::from_bytes(ip_packet.subspan(at, size)),
              *IpAddress::from_bytes(ip_packet.subspan(at + size, size))};
}

// Echo and errors between the device and the box: others answer these, and none of them is for the kernel.
bool is_icmp(Bytes ip_packet) {
  const auto packet = tunnel::decode_unicast(ip_packet);
  return packet && packet->protocol != kTcp;
}

const IpAddress& box_of(const tunnel::InnerAddresses& addresses, const IpAddress& towards) {
  return towards.is_ip4() ? addresses.box_ip4 : addresses.box_ip6;
}

}  // namespace

void InnerGate::admit(PeerId peer, const tunnel::InnerAddresses& addresses, HomeHosts hosts) {
  expel(peer);
  members_.emplace(peer,
                   Member{addresses, std::move(hosts), TokenBucket(kErrorsPerSecond, kErrorsPerSecond)});
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

bool InnerGate::may_go(PeerId peer, const Endpoint& target) const {
  const auto member = members_.find(peer);
  return member != members_.end() && any_includes(member->second.hosts, target.address, target.port);
}

bool InnerGate::may_tell(PeerId peer, Time now) {
  const auto member = members_.find(peer);
  return member != members_.end() && member->second.errors.take(now);
}

InnerGate::Way InnerGate::way_in(PeerId peer, Bytes ip_packet) {
  using Kind = Way::Kind;
  const auto member = members_.find(peer);
  const auto ends = ends_of(ip_packet);
  if (member == members_.end() || !ends) {
    ++counters_.refused;
    return {};
  }
  if (ends->destination.is_multicast()) {
    return {};  // membership
  }
  const auto segment = plain_tcp(ip_packet);
  if (ends->source.is_link_local()) {  // as whom the box meets them, it serves nothing
    counters_.refused += segment ? 1 : 0;
    return {};
  }
  const auto owner = by_address_.find(ends->source);
  if (owner == by_address_.end() || owner->second != peer) {
    ++counters_.spoofed;
    return {};
  }
  const IpAddress& box = box_of(member->second.addresses, ends->source);
  if (ends->destination != box) {
    if (!segment || relay_port_ == 0 || !may_go(peer, segment->destination)) {
      ++counters_.prohibited;
      return {Kind::kProhibited, peer, {}, {}, box};
    }
    return {Kind::kHome, peer, segment->source, segment->destination, box};
  }
  if (!segment || !is_served(segment->destination.port)) {
    counters_.refused += is_icmp(ip_packet) ? 0 : 1;
    return {};
  }
  ++counters_.to_box;
  return {Kind::kBox, peer, segment->source, segment->destination, box};
}

InnerGate::Way InnerGate::way_out(Bytes ip_packet) {
  using Kind = Way::Kind;
  const auto segment = plain_tcp(ip_packet);
  const auto owner = segment ? by_address_.find(segment->destination.address) : by_address_.end();
  if (owner != by_address_.end()) {
    const IpAddress& box = box_of(members_.at(owner->second).addresses, segment->destination.address);
    const bool from_box = segment->source.address == box;
    if (from_box && relay_port_ != 0 && segment->source.port == relay_port_) {
      return {Kind::kHome, owner->second, segment->source, segment->destination, box};
    }
    if (from_box && is_served(segment->source.port)) {
      ++counters_.from_box;
      return {Kind::kBox, owner->second, segment->source, segment->destination, box};
    }
  }
  ++counters_.kept_here;
  return {};
}

}  // namespace hearthcast::forward
