#include "appliance/forward/home_nat.hpp"

#include <vector>

#include "tunnelmgr/tunnel/tcp_segment.hpp"

namespace hearthcast::forward {
namespace {

constexpr std::uint16_t kFirstPort = 1024;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;

bool begins_a_connection(Bytes packet) {
  const std::uint8_t flags = packet[(packet[0] >> 4 == 4 ? 20U : 40U) + 13];
  return (flags & (kSyn | kAck)) == kSyn;
}

}  // namespace

bool HomeNat::outward(PeerId peer, const Endpoint& device, const Endpoint& target, const Endpoint& box,
                      MutableBytes packet, Time now) {
  const auto known = stand_ins_.find({device, target});
  std::optional<Endpoint> stand_in;
  if (known != stand_ins_.end()) {
    stand_in = known->second;
  } else if (begins_a_connection(packet)) {
    stand_in = make(peer, device, target, box, now);
  }
  if (!stand_in) {
    return false;
  }
  tunnel::readdress(packet, *stand_in, flows_.at(*stand_in).flow.box);
  return true;
}

std::optional<PeerId> HomeNat::backward(const Endpoint& box, const Endpoint& stand_in,
                                        MutableBytes packet) const {
  const auto* flow = find(stand_in);
  if (flow == nullptr || flow->box != box) {
    return std::nullopt;
  }
  tunnel::readdress(packet, flow->target, flow->device);
  return flow->peer;
}

std::optional<Endpoint> HomeNat::make(PeerId peer, const Endpoint& device, const Endpoint& target,
                                      const Endpoint& box, Time now) {
  if (counts_[peer] >= kMaxPerDevice) {
    return std::nullopt;
  }
  Endpoint stand_in{device.address, last_port_};
  do {  // ends: there are far fewer flows than ports
    stand_in.port = stand_in.port < kFirstPort || stand_in.port == UINT16_MAX
                        ? kFirstPort
                        : static_cast<std::uint16_t>(stand_in.port + 1);
  } while (flows_.contains(stand_in));
  last_port_ = stand_in.port;
  ++counts_[peer];
  stand_ins_.emplace(Key{device, target}, stand_in);
  flows_.emplace(stand_in, Entry{{peer, device, target, box}, now + kLinger});
  return stand_in;
}

const HomeNat::Flow* HomeNat::find(const Endpoint& stand_in) const {
  const auto at = flows_.find(stand_in);
  return at == flows_.end() ? nullptr : &at->second.flow;
}

void HomeNat::opened(const Endpoint& stand_in) {
  if (const auto at = flows_.find(stand_in); at != flows_.end()) {
    at->second.ends = kNever;
  }
}

void HomeNat::closed(const Endpoint& stand_in, Time now) {
  if (const auto at = flows_.find(stand_in); at != flows_.end()) {
    at->second.ends = now + kLinger;
  }
}

void HomeNat::erase(const Endpoint& stand_in) {
  const auto at = flows_.find(stand_in);
  const Flow flow = at->second.flow;
  stand_ins_.erase(Key{flow.device, flow.target});
  flows_.erase(at);
  if (--counts_[flow.peer] == 0) {
    counts_.erase(flow.peer);
  }
}

void HomeNat::expel(PeerId peer) {
  std::vector<Endpoint> gone;
  for (const auto& [stand_in, entry] : flows_) {
    if (entry.flow.peer == peer) {
      gone.push_back(stand_in);
    }
  }
  for (const auto& stand_in : gone) {
    erase(stand_in);
  }
}

void HomeNat::on_tick(Time now) {
  std::vector<Endpoint> gone;
  for (const auto& [stand_in, entry] : flows_) {
    if (entry.ends <= now) {
      gone.push_back(stand_in);
    }
  }
  for (const auto& stand_in : gone) {
    erase(stand_in);
  }
}

}  // namespace hearthcast::forward
