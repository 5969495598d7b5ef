#include "appliance/app/foreign_peers.hpp"

#include <algorithm>

#include "tunnelmgr/linux/multicast_socket.hpp"

namespace hearthcast::app {

PeerId ForeignPeers::add(ForeignPeer peer) {
  const PeerId id{kFirst.value + static_cast<std::int64_t>(peers_.size())};
  peers_.emplace(id, Entry{std::move(peer), std::nullopt, nullptr});
  return id;
}

void ForeignPeers::set_trouble(PeerId peer, std::string text) {
  Entry& entry = peers_.at(peer);
  log_.error("peer_not_opened", {{"peer", entry.facts.name}, {"error", text}});
  entry.facts.trouble = std::move(text);
}

bool ForeignPeers::on_up(const forward::Up& message, Time now) {
  if (const auto* received = std::get_if<forward::ClearReceived>(&message)) {
    const auto found = peers_.find(received->peer);
    if (found != peers_.end() && found->second.tunnel) {
      perform(found->first, found->second, found->second.tunnel->on_packet(received->packet, now), now);
    }
    return true;
  }
  if (const auto* endpoint = std::get_if<forward::ClearEndpoint>(&message)) {
    if (const auto found = peers_.find(endpoint->peer); found != peers_.end()) {
      on_endpoint(found->first, found->second, endpoint->endpoint, now);
    }
    return true;
  }
  return false;
}

void ForeignPeers::on_endpoint(PeerId id, Entry& entry, const std::optional<Endpoint>& endpoint, Time now) {
  log_.info("peer_endpoint", {{"peer", entry.facts.name},
                              {"endpoint", endpoint ? endpoint->to_string() : std::string("unknown")}});
  entry.endpoint = endpoint;
  if (!endpoint) {
    entry.tunnel.reset();
    ports_.watch(id, {}, now);
  } else if (!entry.tunnel) {
    entry.tunnel = std::make_unique<sessions::PeerTunnel>(
        sessions::PeerFacts{entry.facts.name, entry.facts.grants, entry.facts.carries_ip4}, access_, now);
    perform(id, entry, entry.tunnel->on_deadline(now), now);
  }
}

void ForeignPeers::on_access(std::shared_ptr<const access::Access> access, Time now) {
  access_ = std::move(access);
  for (auto& [id, entry] : peers_) {
    if (entry.tunnel) {
      perform(id, entry, entry.tunnel->on_access(access_, now), now);
    }
  }
}

void ForeignPeers::on_deadline(Time now) {
  for (auto& [id, entry] : peers_) {
    if (entry.tunnel && entry.tunnel->next_deadline() <= now) {
      perform(id, entry, entry.tunnel->on_deadline(now), now);
    }
  }
}

Time ForeignPeers::next_deadline() const {
  Time next = kNever;
  for (const auto& [id, entry] : peers_) {
    next = std::min(next, entry.tunnel ? entry.tunnel->next_deadline() : kNever);
  }
  return next;
}

void ForeignPeers::perform(PeerId id, Entry& entry, const sessions::PeerActions& actions, Time now) {
  for (const auto& action : actions) {
    if (const auto* membership = std::get_if<sessions::SendMembership>(&action)) {
      ports_.post(forward::SendClear{id, membership->ip_packet});
    } else {
      ports_.watch(id, entry.tunnel->watching(), now);
    }
  }
}

std::vector<api::PeerLive> ForeignPeers::live(const forward::Statistics* statistics,
                                              const std::vector<FlowStatus>& flows,
                                              const channels::Catalogue& catalogue) const {
  std::vector<api::PeerLive> all;
  for (const auto& [id, entry] : peers_) {
    api::PeerLive live{.name = entry.facts.name,
                       .encapsulation = entry.facts.encapsulation,
                       .endpoint = entry.endpoint,
                       .learnt = entry.facts.learnt,
                       .trouble = entry.facts.trouble,
                       .refusal = entry.tunnel ? entry.tunnel->last_refusal() : "",
                       .watching = {},
                       .last_received = std::nullopt,
                       .drops = {}};
    for (const FlowStatus& flow : flows) {
      const auto* channel = catalogue.find(flow.key);
      if (flow.viewers.contains(id) && channel != nullptr) {
        live.watching.push_back(channel->id);
      }
    }
    if (statistics != nullptr) {
      for (const auto& viewer : statistics->viewers) {
        if (viewer.peer == id) {
          live.packets += viewer.packets;
          live.bytes += viewer.bytes;
          live.send_dropped += viewer.drops;
        }
      }
      const auto counted = std::ranges::find(statistics->clear_peers, id, &forward::ClearPeerCounters::peer);
      if (counted != statistics->clear_peers.end()) {
        live.received = counted->counters.received;
        live.moves = counted->counters.moves;
        live.last_received = counted->last_received;
        for (std::size_t i = 0; i < tunnel::kDropReasons; ++i) {
          live.drops.push_back({tunnel::label(static_cast<tunnel::Drop>(i)), counted->counters.dropped[i]});
        }
      }
    }
    all.push_back(std::move(live));
  }
  return all;
}

std::uint64_t ForeignPeers::strangers(const forward::Statistics* statistics) {
  std::uint64_t all = 0;
  if (statistics != nullptr) {
    for (const auto& port : statistics->clear_ports) {
      all += port.unknown;
    }
  }
  return all;
}

}  // namespace hearthcast::app
