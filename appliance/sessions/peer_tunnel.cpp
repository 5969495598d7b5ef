#include "appliance/sessions/peer_tunnel.hpp"

#include <algorithm>

#include "appliance/sessions/tunnel_membership.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::sessions {

PeerTunnel::PeerTunnel(PeerFacts facts, std::shared_ptr<const access::Access> access, Time now)
    : facts_(std::move(facts)), access_(std::move(access)) {
  routers_.push_back(tunnel_router(Family::kIp6, now));
  if (facts_.carries_ip4) {
    routers_.push_back(tunnel_router(Family::kIp4, now));
  }
}

PeerActions PeerTunnel::on_packet(Bytes ip_packet, Time now) {
  PeerActions out;
  // Kernels send much else into a tunnel: router solicitations, neighbour discovery, mDNS.
  if (!wire::decode_membership_packet(ip_packet)) {
    ++unwanted_;
    return out;
  }
  for (membership::Router& router : routers_) {
    perform(router.on_packet(ip_packet, now), out);
  }
  return out;
}

PeerActions PeerTunnel::on_deadline(Time now) {
  PeerActions out;
  for (membership::Router& router : routers_) {
    perform(router.on_deadline(now), out);
  }
  return out;
}

Time PeerTunnel::next_deadline() const {
  Time next = kNever;
  for (const membership::Router& router : routers_) {
    next = std::min(next, router.next_deadline());
  }
  return next;
}

PeerActions PeerTunnel::on_access(std::shared_ptr<const access::Access> access, Time) {
  PeerActions out;
  access_ = std::move(access);
  std::vector<Wish> wishes;
  for (const auto& [wish, granted] : wishes_) {
    wishes.push_back(wish);
  }
  for (const Wish& wish : wishes) {
    decide(wish);
  }
  gather(out);
  return out;
}

std::vector<membership::RouterStatus> PeerTunnel::memberships(Time now) const {
  std::vector<membership::RouterStatus> all;
  for (const membership::Router& router : routers_) {
    all.push_back(router.status(now));
  }
  return all;
}

void PeerTunnel::perform(membership::Actions actions, PeerActions& out) {
  for (auto& action : actions) {
    if (auto* packet = std::get_if<membership::SendPacket>(&action)) {
      out.push_back(SendMembership{std::move(packet->ip_packet)});
    } else if (const auto* change = std::get_if<membership::FilterChanged>(&action)) {
      take(*change);
    } else if (std::holds_alternative<membership::OverLimit>(action)) {
      ++refused_;
      last_refusal_ = facts_.name + " asks for more groups at once than the box allows.";
    }
  }
  gather(out);
}

// Joins before it leaves: a change of filter mode must not interrupt what both want.
void PeerTunnel::take(const membership::FilterChanged& change) {
  const std::set<Wish> wanted = subscriptions(change);
  for (const Wish& wish : wanted) {
    if (!wishes_.contains(wish)) {
      decide(wish);
    }
  }
  std::erase_if(wishes_, [&](const auto& entry) {
    return entry.first.group == change.group && !wanted.contains(entry.first);
  });
}

void PeerTunnel::decide(const Wish& wish) {
  std::set<FlowKey>& granted = wishes_[wish];
  std::set<FlowKey> others;
  for (const auto& [other, flows] : wishes_) {
    if (other != wish) {
      others.insert(flows.begin(), flows.end());
    }
  }
  const auto decision = access_->watch(facts_.grants, facts_.name, wish.source, wish.group, others.size());
  granted.clear();
  for (const ChannelId id : decision.channels) {
    const channels::Channel* channel = access_->catalogue().find(id);
    if (channel != nullptr && (facts_.carries_ip4 || channel->flow.group.is_ip6())) {
      granted.insert(channel->flow);
    }
  }
  if (decision.refusal) {
    ++refused_;
    last_refusal_ = decision.refusal->text;
  }
}

void PeerTunnel::gather(PeerActions& out) {
  std::set<FlowKey> all;
  for (const auto& [wish, flows] : wishes_) {
    all.insert(flows.begin(), flows.end());
  }
  if (all != watching_) {
    watching_ = std::move(all);
    out.push_back(PeerWatchingChanged{});
  }
}

}  // namespace hearthcast::sessions
