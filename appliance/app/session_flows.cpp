// The flows of Sessions: upstream joins, viewers, signals, presence.
#include <algorithm>
#include <utility>

#include "appliance/app/sessions.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"

namespace hearthcast::app {
namespace {

// Flows that begin or end before other inputs get their turn: some 20 ms of work.
constexpr std::size_t kChangesAtOnce = 256;

}  // namespace

void Sessions::on_watching(DevicePeer& peer) { watch_changed_.insert(peer.device()); }

void Sessions::settle() {
  if (in_burst_) {
    return;
  }
  const auto after_last = watch_changed_.upper_bound(watched_last_);
  std::vector<DeviceId> waiting(after_last, watch_changed_.end());
  waiting.insert(waiting.end(), watch_changed_.begin(), after_last);
  std::size_t changes = 0;
  for (const DeviceId device : waiting) {
    if (changes >= kChangesAtOnce) {
      break;  // the next deadline is now
    }
    sessions::ChangePace& pace = paces_[device];
    if (pace.next() > now_) {
      continue;
    }
    watch_changed_.erase(device);
    watched_last_ = device;
    if (const auto peer = peers_.find(device); peer != peers_.end()) {
      const std::size_t its_changes = watch(*peer->second);
      pace.spend(its_changes, now_);
      changes += its_changes;
    }
  }
  if (std::exchange(viewers_changed_, false)) {
    update_viewers();
    update_pace();
  }
}

std::size_t Sessions::watch(DevicePeer& peer) {
  if (!peer.tunnel()) {
    return 0;
  }
  const auto watching = peer.watching();
  ports_.watching(*peer.tunnel(), watching);  // routes come before joins
  const std::size_t changes = perform(flows_.watch(*peer.tunnel(), watching));
  for (const FlowKey& key : watching) {
    const auto flow = flows_.flows().find(key);
    if (flow != flows_.flows().end() && upstream_[flow->second.id].signal) {
      peer.on_signal(key, true, now_);
    }
  }
  ports_.changed();
  return changes;
}

void Sessions::watch(PeerId listener, const std::set<FlowKey>& flows, Time now) {
  now_ = now;
  ports_.watching(listener, flows);
  perform(flows_.watch(listener, flows));
  ports_.changed();
  settle();
}

std::optional<FlowId> Sessions::flow(const FlowKey& key) const {
  const auto found = flows_.flows().find(key);
  return found == flows_.flows().end() ? std::nullopt : std::optional(found->second.id);
}

bool Sessions::has_signal(const FlowKey& key) const {
  const auto carried = flow(key);
  const auto upstream = carried ? upstream_.find(*carried) : upstream_.end();
  return upstream != upstream_.end() && upstream->second.signal;
}

bool Sessions::is_joined_beside(const FlowKey& key, unsigned interface_index) const {
  const auto& flows = flows_.flows();
  for (const auto& source : {key.source, std::optional<IpAddress>()}) {
    for (auto at = flows.lower_bound({source, key.group, 0});
         at != flows.end() && at->first.source == source && at->first.group == key.group; ++at) {
      const auto upstream = upstream_.find(at->second.id);
      if (at->first != key && upstream != upstream_.end() &&
          upstream->second.interface_index == interface_index) {
        return true;
      }
    }
  }
  return false;
}

std::size_t Sessions::perform(const sessions::FlowActions& actions) {
  for (const auto& action : actions) {
    if (const auto* start = std::get_if<sessions::StartFlow>(&action)) {
      upstream_[start->flow].started = now_;
      join(start->flow, start->key);
    } else if (const auto* stop = std::get_if<sessions::StopFlow>(&action)) {
      upstream_.erase(stop->flow);
      retries_.erase(stop->flow);
      post(forward::RemoveFlow{stop->flow});
      context_.log.info("flow_stopped", {{"flow", std::to_string(stop->flow.value)}});
    } else {
      viewers_changed_ = true;
    }
  }
  return actions.size();
}

void Sessions::join(FlowId id, const FlowKey& key) {
  auto socket = ports_.join(key);
  if (!socket) {
    if (const auto before = retries_.find(id);
        before == retries_.end() || before->second.failure != socket.error().text) {
      context_.log.warning("join_failed", {{"group", key.to_string()}, {"error", socket.error().text}});
    }
    retries_[id] = {now_ + kRejoin, socket.error().text};
    return;
  }
  retries_.erase(id);
  Upstream& upstream = upstream_[id];
  if (*socket) {
    const auto& options = (*socket)->options();
    upstream.interface_index = options.interface_index;
    upstream.fd = (*socket)->fd();
    upstream.receive_buffer = options.receive_buffer;
  }
  context_.log.info("flow_started", {{"flow", std::to_string(id.value)}, {"group", key.to_string()}});
  post(forward::AddFlow{id, key, std::move(*socket), access_->devices().has_lan_links()});
  if (upstream.signal) {  // it moved to another interface, and nobody will tell that its data come
    enlarge(upstream);
  }
}

void Sessions::enlarge(Upstream& upstream) {
  if (const int fd = std::exchange(upstream.fd, -1); fd >= 0) {
    ports_.enlarge(fd, upstream.receive_buffer);
  }
}

void Sessions::update_viewers() {
  auto table = std::make_unique<forward::ViewerTable>();
  for (const auto& [key, flow] : flows_.flows()) {
    for (const PeerId peer : flow.viewers) {
      table->rows.push_back({flow.id, peer});
    }
  }
  std::ranges::stable_sort(table->rows, {}, &forward::ViewerTable::Row::flow);
  post(forward::SetViewers{std::move(table)});
}

void Sessions::on_signal(const forward::FlowSignal& signal, Time now) {
  const FlowKey* key = flows_.find(signal.flow);
  if (key == nullptr) {
    return;
  }
  Upstream& upstream = upstream_[signal.flow];
  upstream.signal = signal.present;
  if (signal.present) {
    enlarge(upstream);
  }
  for (auto& [id, peer] : peers_) {
    peer->on_signal(*key, signal.present, now);
  }
  ports_.signal(*key, signal.present);
  context_.log.info(signal.present ? "signal" : "signal_lost", {{"group", key->to_string()}});
  ports_.changed();
}

void Sessions::on_network_change(Time now) {
  now_ = now;
  perform(presence_.on_network_change(now));
  check_paths(now);
}

void Sessions::check_paths(Time now) {
  now_ = now;
  for (const auto& [id, peer] : peers_) {
    peer->on_network_change(now);
  }
}

void Sessions::on_rendezvous(bool here, Time now) {
  rendezvous_here_ = here;
  for (const auto& [id, peer] : peers_) {
    peer->agent().set_lurking(!here, now);
  }
}

// While somebody watches from outside, a new mapping has to be known at once, for the viewer cannot tell.
void Sessions::update_pace() {
  presence_.set_busy(
      std::ranges::any_of(peers_, [](const auto& one) { return one.second->watches_from_outside(); }), now_);
}

void Sessions::on_upstream_change(Time now) {
  now_ = now;
  for (const auto& [key, flow] : flows_.flows()) {
    join(flow.id, key);
  }
  settle();
}

void Sessions::perform(const nat::PresenceActions& actions) {
  for (const auto& action : actions) {
    if (const auto* datagram = std::get_if<nat::SendDatagram>(&action)) {
      send(datagram->to, datagram->bytes);
    } else if (const auto* mapping = std::get_if<nat::MappingChanged>(&action)) {
      context_.log.info("mapping", {{"endpoint", mapping->mapped.to_string()}});
      ports_.mapped(mapping->mapped);
    } else if (const auto* knocked = std::get_if<nat::Knocked>(&action)) {
      on_knocked(*knocked);
    } else {
      context_.log.warning("presence_unanswered", {});
      on_rendezvous(false, now_);
      ports_.mapped(std::nullopt);
    }
  }
}

void Sessions::on_knocked(const nat::Knocked& knocked) {
  std::vector<nat::Candidate> seen;
  auto type = nat::CandidateType::kServerReflexive;
  auto unwanted = signalling::RelayPolicy::kAlways;
  for (const Endpoint& at : knocked.at) {
    if (context_.relay != unwanted && !at.address.is_private()) {
      seen.push_back({type, at});
    }
    type = nat::CandidateType::kRelayed;
    unwanted = signalling::RelayPolicy::kNever;
  }
  context_.log.info("knocked", {{"device", knocked.device.to_string().substr(0, 8)}});
  on_candidates(knocked.device, seen, now_);
}

std::vector<FlowStatus> Sessions::flows() const {
  std::vector<FlowStatus> all;
  for (const auto& [key, flow] : flows_.flows()) {
    FlowStatus status{.key = key,
                      .id = flow.id,
                      .started = {},
                      .signal = false,
                      .failure = "",
                      .interface_index = 0,
                      .viewers = flow.viewers,
                      .counters = {}};
    if (const auto upstream = upstream_.find(flow.id); upstream != upstream_.end()) {
      status.started = upstream->second.started;
      status.signal = upstream->second.signal;
      status.interface_index = upstream->second.interface_index;
    }
    if (const auto failed = retries_.find(flow.id); failed != retries_.end()) {
      status.failure = failed->second.failure;
    }
    if (statistics_) {
      const auto counted =
          std::ranges::lower_bound(statistics_->flows, flow.id, {}, &forward::FlowCounters::flow);
      if (counted != statistics_->flows.end() && counted->flow == flow.id) {
        status.counters = *counted;
      }
    }
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace hearthcast::app
