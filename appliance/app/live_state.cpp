#include "appliance/app/live_state.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "tunnelmgr/linux/multicast_socket.hpp"

namespace hearthcast::app {
namespace {

bool same_site(const IpAddress& a, const IpAddress& b) {  // one IPv6 link's prefix
  return a.is_ip6() && b.is_ip6() && std::ranges::equal(a.bytes().first(8), b.bytes().first(8));
}

api::ChannelLive channel_live(const FlowStatus& flow, Time now) {
  api::ChannelLive live;
  if (flow.signal) {
    live.state = api::ChannelLive::State::kLive;
  } else if (flow.failure.empty() && now - flow.started < kJoinPatience) {
    live.state = api::ChannelLive::State::kJoining;
  } else {
    live.state = api::ChannelLive::State::kNoSignal;
  }
  live.bitrate_bps = flow.counters.bits_per_second;
  live.packets = flow.counters.packets;
  live.kernel_drops = flow.counters.kernel_drops;
  live.continuity_errors = flow.counters.continuity_errors;
  live.viewers = flow.viewers.size();
  return live;
}

using CountersOfViewers = std::map<std::pair<FlowId, PeerId>, const forward::ViewerCounters*>;

CountersOfViewers by_flow_and_peer(const forward::Statistics* statistics) {
  CountersOfViewers all;
  for (std::size_t i = 0; statistics != nullptr && i < statistics->viewers.size(); ++i) {
    const forward::ViewerCounters& row = statistics->viewers[i];
    all.emplace(std::pair(row.flow, row.peer), &row);
  }
  return all;
}

}  // namespace

api::PathKind path_kind(const Endpoint& path, std::optional<nat::CandidateType> type,
                        const std::vector<IpAddress>& own) {
  if (type == nat::CandidateType::kRelayed) {
    return api::PathKind::kRelayed;
  }
  const bool near = path.address.is_private() || path.address.is_link_local() || path.address.is_loopback() ||
                    std::ranges::any_of(own, [&](const IpAddress& a) { return same_site(a, path.address); });
  return near ? api::PathKind::kLan : api::PathKind::kDirect;
}

api::LiveState live_state(const std::vector<DeviceStatus>& devices, const std::vector<FlowStatus>& flows,
                          const forward::Statistics* statistics, const access::Access& access,
                          const std::vector<IpAddress>& own, Time now) {
  api::LiveState state;
  const auto counters = by_flow_and_peer(statistics);
  std::map<FlowKey, FlowId> ids;
  for (const FlowStatus& flow : flows) {
    ids.emplace(flow.key, flow.id);
    if (const auto* channel = access.catalogue().find(flow.key)) {
      state.channels[channel->id] = channel_live(flow, now);
    }
  }
  for (const DeviceStatus& device : devices) {
    if (!device.connected && !device.last_seen) {
      continue;
    }
    api::DeviceLive& live = state.devices[device.device];
    live.connected = device.connected;
    live.last_seen = device.last_seen;
    if (device.connected && device.path) {
      live.address = device.path;
      live.path = path_kind(*device.path, device.path_type, own);
      live.path_mtu = device.path_mtu;
      live.encapsulation = tunnel::to_string(device.encapsulation);
      live.path_reason = live.path == api::PathKind::kRelayed ? device.relayed_because : "";
    }
    auto narrowest = tunnel::MediaForm::kSixInFour;
    for (const auto& [key, since] : device.watching) {
      const auto* channel = access.catalogue().find(key);
      const auto flow = ids.find(key);
      if (channel == nullptr || flow == ids.end() || !device.peer) {
        continue;
      }
      api::ViewerLive viewer{
          .device = device.device, .channel = channel->id, .path = live.path, .since = since};
      if (const auto counted = counters.find({flow->second, *device.peer}); counted != counters.end()) {
        const forward::ViewerCounters& row = *counted->second;
        viewer.packets = row.packets;
        viewer.bytes = row.bytes;
        viewer.dropped = row.drops;
        viewer.form = row.packets == 0 ? "" : tunnel::to_string(row.form);
        if (row.packets != 0 && (live.form.empty() || row.form > narrowest)) {
          narrowest = row.form;
          live.form = viewer.form;
        }
        viewer.asked_again = counted->second->repair.asked;
        viewer.sent_again = counted->second->repair.sent;
        viewer.not_sent_again = counted->second->repair.gone + counted->second->repair.refused;
      }
      state.viewers.push_back(viewer);
    }
  }
  return state;
}

api::TunnelPortLive tunnel_port(const forward::Statistics* statistics, const SessionCounters& sessions) {
  const datapath::PortCounters port = statistics == nullptr ? datapath::PortCounters() : statistics->port;
  return {.datagrams = port.datagrams,
          .drops = {{"stray", port.stray},
                    {"unvouched", port.unvouched},
                    {"rejected", port.rejected},
                    {"malformed", port.malformed},
                    {"kernel_buffer", port.kernel_drops},
                    {"over_budget", port.over_budget},
                    {"crowded", port.crowded},
                    {"queue_full", port.queue_full},
                    {"send_dropped", port.send_dropped},
                    {"stun_unknown", sessions.stun_unknown},
                    {"handshake_unproven", sessions.handshake_unproven},
                    {"handshake_too_many", sessions.handshake_too_many}}};
}

api::ReachabilityLive reachability(const ReachFacts& facts) {
  const bool global6 =
      std::ranges::any_of(facts.own, [](const IpAddress& a) { return a.is_ip6() && !a.is_private(); });
  const RelayWay& relay = facts.relay;
  if (facts.rendezvous_connected && relay.needed && relay.server) {
    return {api::ReachabilityLive::State::kAnywhere,
            "Devices find the box from anywhere, relayed: " + relay.reason + ". The relay is " +
                relay.server->to_string() + ", over " + to_string(relay.transport) +
                "; it can read nothing."};
  }
  const std::string blocked =
      relay.needed ? " UDP does not pass between the box and the rendezvous, and there is no relay" +
                         (relay.trouble.empty() ? "" : ": " + relay.trouble) + "."
                   : "";
  if (facts.rendezvous_connected && facts.mapped) {
    return {api::ReachabilityLive::State::kAnywhere,
            "Devices find the box from anywhere: the rendezvous introduces them, and it sees the box at " +
                facts.mapped->to_string() + "."};
  }
  if (facts.forwarded) {
    return {api::ReachabilityLive::State::kAnywhere,
            "The router lets devices in at " + facts.forwarded->to_string() +
                "; those that know that address need no rendezvous."};
  }
  const std::string port = "UDP port " + std::to_string(facts.port);
  if (facts.public_address) {
    return {api::ReachabilityLive::State::kAnywhere,
            "Devices look for the box at " + facts.public_address->to_string() +
                ", as the settings say (network.public_address); from there " + port +
                " of the box has to be reached."};
  }
  if (global6) {
    return {api::ReachabilityLive::State::kAnywhere,
            "The box has a global IPv6 address; devices with IPv6 reach it if the router lets them in at " +
                port + "." + blocked};
  }
  return {api::ReachabilityLive::State::kLanOnly,
          "Devices find the box at home, or where they found it last. From elsewhere they need the "
          "rendezvous, or " +
              port + " forwarded to the box." + blocked};
}

}  // namespace hearthcast::app
