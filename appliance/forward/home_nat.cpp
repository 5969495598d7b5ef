#include "appliance/forward/home_nat.hpp"

#include "tunnelmgr/tunnel/tcp_segment.hpp"

namespace hearthcast::forward {
namespace {

constexpr std::uint16_t kFirstPort = 1024;

}  // namespace

bool HomeNat::outward(PeerId peer, const Endpoint& device, const Endpoint& target, const Endpoint& box,
                      MutableBytes packet, Time now) {
  const auto known = stand_ins_.find({device, target});
  std::optional<Endpoint> stand_in;
  if (known != stand_ins_.end()) {
    stand_in = known->second;
  } else if (tunnel::begins_connection(packet.subspan(tunnel::plain_header_size(packet)))) {
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

template <class Gone>
void HomeNat::erase_if(Gone gone) {
  std::erase_if(flows_, [&](const auto& at) {
    const auto& [flow, ends] = at.second;
    if (!gone(at.second)) {
      return false;
    }
    stand_ins_.erase(Key{flow.device, flow.target});
    if (--counts_[flow.peer] == 0) {
      counts_.erase(flow.peer);
    }
    return true;
  });
}

void HomeNat::expel(PeerId peer) {
  erase_if([&](const Entry& entry) { return entry.flow.peer == peer; });
}

void HomeNat::on_tick(Time now) {
  erase_if([&](const Entry& entry) { return entry.ends <= now; });
}

}  // namespace hearthcast::forward
