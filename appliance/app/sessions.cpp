#include "appliance/app/sessions.hpp"

#include <algorithm>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"

namespace hearthcast::app {

Sessions::Sessions(const PeerContext& context, const Identity& identity, SessionPorts ports)
    : context_(context),
      identity_(identity),
      ports_(std::move(ports)),
      access_(std::make_shared<const access::Access>()),
      presence_(context.crypto, context.random) {}

Sessions::~Sessions() = default;

void Sessions::on_access(std::shared_ptr<const access::Access> access, Time now) {
  now_ = now;
  access_ = std::move(access);
  for (const auto& [id, device] : access_->devices().devices()) {
    if (peers_.contains(id)) {
      continue;
    }
    const auto credentials = nat::credentials_at_box(context_.crypto, identity_, device.public_key);
    if (!credentials) {
      context_.log.error("device_key_unusable", {{"device", device.identity.to_string().substr(0, 8)}});
      continue;
    }
    auto peer = std::make_unique<DevicePeer>(device, *credentials, context_, access_, *this);
    peer->agent().set_lurking(!rendezvous_here_, now);
    responder_.add(peer->agent());
    by_agent_.emplace(&peer->agent(), peer.get());
    peers_.emplace(id, std::move(peer));
  }
  for (auto& [id, peer] : peers_) {
    peer->on_access(access_, now);
  }
  sweep();
  paces_.clear();  // what the owner takes away ends at once
  settle();
}

void Sessions::on_reach(Time now) {
  now_ = now;
  for (const auto& [id, peer] : peers_) {
    peer->on_reach(now);
  }
  settle();
}

// A device that is gone is told so by its tunnel first; without a tunnel nothing is left to say.
void Sessions::sweep() {
  sweep_at_ = kNever;
  std::vector<DeviceId> gone;
  for (const auto& [id, peer] : peers_) {
    if (!peer->tunnel() && access_->devices().find(id) == nullptr) {
      gone.push_back(id);
    }
  }
  for (const DeviceId id : gone) {
    forget(id);
  }
}

void Sessions::forget(DeviceId id) {
  DevicePeer* peer = peers_.at(id).get();
  responder_.remove(peer->agent());
  by_agent_.erase(&peer->agent());
  std::erase_if(vouched_, [&](const auto& entry) { return entry.second == peer; });
  peers_.erase(id);
  paces_.erase(id);
  last_seen_.erase(id);
}

void Sessions::burst(const std::function<void()>& inputs) {
  in_burst_ = true;
  inputs();
  in_burst_ = false;
  settle();
}

void Sessions::on_up(forward::Up message, Time now) {
  now_ = now;
  if (const auto* stun = std::get_if<datapath::StunReceived>(&message)) {
    on_stun(*stun, now);
  } else if (const auto* handshake = std::get_if<datapath::HandshakeReceived>(&message)) {
    on_handshake(*handshake, now);
  } else if (const auto* inner = std::get_if<datapath::InnerReceived>(&message)) {
    if (DevicePeer* peer = by_tunnel(inner->peer)) {
      peer->on_inner(inner->peer, inner->gre, now);
    }
  } else if (const auto* closed = std::get_if<datapath::SessionClosed>(&message)) {
    if (DevicePeer* peer = by_tunnel(closed->peer)) {
      peer->on_session_closed(closed->peer, closed->reason, now);
    }
  } else if (const auto* signal = std::get_if<forward::FlowSignal>(&message)) {
    on_signal(*signal, now);
  } else if (const auto* refused = std::get_if<forward::SizeRefused>(&message)) {
    if (DevicePeer* peer = by_tunnel(refused->peer)) {
      peer->on_refused(refused->peer, refused->datagram, now);
    }
  } else {
    statistics_ = std::move(std::get<forward::StatisticsReady>(message).statistics);
    ports_.changed();
  }
  settle();
}

void Sessions::on_stun(const datapath::StunReceived& received, Time now) {
  const auto message = wire::decode_stun(received.datagram);
  if (message && presence_.expects(message->transaction)) {
    perform(presence_.on_stun(received.from, received.datagram, *message, now));
    return;
  }
  if (message && presence_.is_knock(received.from, *message)) {
    perform(presence_.on_knock(received.datagram, *message, now));
    return;
  }
  nat::Agent* agent = message ? responder_.find(*message) : nullptr;
  if (agent == nullptr) {
    ++counters_.stun_unknown;
    return;
  }
  by_agent_.at(agent)->on_stun(received.from, received.datagram, *message, now);
}

void Sessions::on_handshake(const datapath::HandshakeReceived& received, Time now) {
  DevicePeer* peer = by_endpoint(received.from, now);
  if (peer == nullptr) {
    peer = by_tunnel(received.peer);
  }
  if (peer == nullptr) {
    ++counters_.handshake_unproven;
    return;
  }
  counters_.handshake_too_many +=
      peer->on_handshake(received.from, received.peer, received.datagram, now) ? 0 : 1;
}

DevicePeer* Sessions::by_tunnel(PeerId peer) {
  const auto found = by_tunnel_.find(peer);
  return found == by_tunnel_.end() ? nullptr : found->second;
}

DevicePeer* Sessions::by_endpoint(const Endpoint& endpoint, Time now) {
  const auto found = vouched_.find(endpoint);
  return found != vouched_.end() && found->second->agent().is_proven(endpoint, now) ? found->second : nullptr;
}

void Sessions::on_deadline(Time now) {
  now_ = now;
  for (auto& [id, peer] : peers_) {
    peer->on_deadline(now);
  }
  if (sweep_at_ <= now) {
    sweep();
  }
  if (presence_.next_deadline() <= now) {
    perform(presence_.on_deadline(now));
  }
  const auto retries = retries_;
  for (const auto& [id, retry] : retries) {
    if (retry.at <= now) {
      join(id, *flows_.find(id));
    }
  }
  settle();
}

Time Sessions::next_deadline() const {
  Time next = std::min(presence_.next_deadline(), sweep_at_);
  for (const auto& [id, peer] : peers_) {
    next = std::min(next, peer->next_deadline());
  }
  for (const auto& [id, retry] : retries_) {
    next = std::min(next, retry.at);
  }
  if (in_burst_) {
    return next;  // its end settles what is in watch_changed_
  }
  for (const DeviceId device : watch_changed_) {
    const auto pace = paces_.find(device);
    next = std::min(next, pace == paces_.end() ? now_ : pace->second.next());
  }
  return next;
}

void Sessions::lurk(DeviceId device, const Endpoint& last, Time now) {
  now_ = now;
  if (const auto found = peers_.find(device); found != peers_.end()) {
    found->second->lurk(last, now);
  }
}

void Sessions::on_candidates(const IdentityId& device, const std::vector<nat::Candidate>& offered, Time now,
                             const std::vector<nat::Candidate>& beyond) {
  now_ = now;
  const access::Device* known = access_->devices().find(device);
  if (const auto found = known == nullptr ? peers_.end() : peers_.find(known->id); found != peers_.end()) {
    auto candidates = nat::acceptable(offered);
    candidates.insert(candidates.end(), beyond.begin(), beyond.end());
    found->second->on_candidates(candidates, now);
  }
}

void Sessions::start_presence(nat::PresenceAccount account, Time now) {
  perform(presence_.start(std::move(account), now));
}

void Sessions::end_all(Time now) {
  now_ = now;
  for (auto& [id, peer] : peers_) {
    peer->end(tunnel::NoticeCode::kShutdown, "The box is going down, or being restarted.", now);
  }
  paces_.clear();
  settle();
}

void Sessions::send(const Endpoint& to, Bytes datagram) { ports_.send(to, datagram); }

void Sessions::post(forward::Down message) { ports_.post(std::move(message)); }

void Sessions::on_proven(DevicePeer& peer, const Endpoint& endpoint) {
  // Bounded: each agent holds a fixed number of pairs, and what is no longer proven goes.
  if (vouched_.size() >= nat::Agent::kMaxPairs * (peers_.size() + 1)) {
    std::erase_if(vouched_,
                  [&](const auto& entry) { return !entry.second->agent().is_proven(entry.first, now_); });
  }
  vouched_[endpoint] = &peer;
}

void Sessions::on_path(DevicePeer& peer) {
  if (peer.path() && !wire::channel_of(*peer.path())) {  // a channel is of one allocation only
    ports_.remember(peer.device(), *peer.path());
  }
  update_pace();
  ports_.changed();
}

void Sessions::on_suspected() { perform(presence_.on_network_change(now_)); }

void Sessions::on_tunnel(DevicePeer& peer, std::optional<PeerId> former) {
  if (former) {
    by_tunnel_.erase(*former);
    last_seen_[peer.device()] = now_;
    ports_.watching(*former, {});
    ports_.inner(*former, std::nullopt, {});
    perform(flows_.watch(*former, {}));
  }
  if (peer.tunnel()) {
    by_tunnel_.emplace(*peer.tunnel(), &peer);
  } else if (access_->devices().find(peer.device()) == nullptr) {
    sweep_at_ = now_;  // not here: the peer is still at work
  }
  ports_.changed();
}

bool Sessions::uses_relay() const {
  return std::ranges::any_of(peers_, [](const auto& one) {
    const auto& path = one.second->path();
    return path && wire::channel_of(*path);
  });
}

std::vector<DeviceStatus> Sessions::devices() const {
  std::vector<DeviceStatus> all;
  for (const auto& [id, peer] : peers_) {
    all.push_back({.device = id,
                   .connected = peer->tunnel().has_value(),
                   .path = peer->path(),
                   .path_type = peer->agent().selected_type(),
                   .round_trip = peer->agent().round_trip(),
                   .path_mtu = peer->path_mtu(),
                   .relayed_because = peer->relayed_because(),
                   .encapsulation = peer->encapsulation(),
                   .peer = peer->tunnel(),
                   .since = peer->tunnel_since(),
                   .last_seen = std::nullopt,
                   .watching = peer->watching_since()});
    if (const auto seen = last_seen_.find(id); seen != last_seen_.end() && !all.back().connected) {
      all.back().last_seen = seen->second;
    }
  }
  return all;
}

std::vector<multicast::TunnelRouters> Sessions::routers(Time now) const {
  std::vector<multicast::TunnelRouters> all;
  for (const auto& [id, peer] : peers_) {
    if (peer->tunnel()) {
      all.push_back({*peer->tunnel(), id, peer->routers(now)});
    }
  }
  return all;
}

}  // namespace hearthcast::app
