#include <algorithm>
#include <nlohmann/json.hpp>

#include "appliance/api/qr_code.hpp"
#include "appliance/api/render.hpp"

namespace hearthcast::api {
namespace {

using access::PairingDesk;
using nlohmann::json;

const char* text_of(RendezvousLive::State state) {
  switch (state) {
    case RendezvousLive::State::kConnecting:
      return "connecting";
    case RendezvousLive::State::kConnected:
      return "connected";
    case RendezvousLive::State::kFailed:
      return "failed";
    case RendezvousLive::State::kOff:
      break;
  }
  return "off";
}

const char* text_of(ReachabilityLive::State state) {
  switch (state) {
    case ReachabilityLive::State::kAnywhere:
      return "anywhere";
    case ReachabilityLive::State::kLanOnly:
      return "lan_only";
    case ReachabilityLive::State::kUnknown:
      break;
  }
  return "unknown";
}

const char* text_of(PortMappingLive::State state) {
  switch (state) {
    case PortMappingLive::State::kAsking:
      return "asking";
    case PortMappingLive::State::kMapped:
      return "mapped";
    case PortMappingLive::State::kFailed:
      return "failed";
    case PortMappingLive::State::kOff:
      break;
  }
  return "off";
}

const char* text_of(TunnelInterfaceLive::State state) {
  switch (state) {
    case TunnelInterfaceLive::State::kIdle:
      return "idle";
    case TunnelInterfaceLive::State::kUp:
      return "up";
    case TunnelInterfaceLive::State::kFailed:
      return "failed";
    case TunnelInterfaceLive::State::kOff:
      break;
  }
  return "off";
}

const char* text_of(UpstreamLive::State state) {
  switch (state) {
    case UpstreamLive::State::kUp:
      return "up";
    case UpstreamLive::State::kDown:
      return "down";
    case UpstreamLive::State::kUnknown:
      break;
  }
  return "unknown";
}

const char* text_of(PairingDesk::State state) {
  switch (state) {
    case PairingDesk::State::kOpen:
      return "open";
    case PairingDesk::State::kUsed:
      return "used";
    case PairingDesk::State::kExpired:
      return "expired";
    case PairingDesk::State::kTooManyTries:
      return "too_many_tries";
    case PairingDesk::State::kClosed:
      break;
  }
  return "closed";
}

std::int64_t seconds_until(Time then, Time now) {
  return std::max<std::int64_t>(0, std::chrono::round<std::chrono::seconds>(then - now).count());
}

}  // namespace

json render_status(const household::Household& household, const LiveState& live, Time started, Time now,
                   bool all) {
  json out = {{"name", household.card().name},
              {"version", HEARTHCAST_VERSION},
              {"setup_needed", !household.is_set_up()}};
  if (!all) {
    return out;
  }
  out["uptime_s"] = std::chrono::duration_cast<std::chrono::seconds>(now - started).count();
  out["rendezvous"] = {{"state", text_of(live.rendezvous.state)}, {"text", live.rendezvous.text}};
  if (!live.rendezvous.url.empty()) {
    out["rendezvous"]["url"] = live.rendezvous.url;
  }
  out["reachability"] = {{"state", text_of(live.reachability.state)}, {"text", live.reachability.text}};
  out["port_mapping"] = {{"state", text_of(live.port_mapping.state)}, {"text", live.port_mapping.text}};
  if (live.port_mapping.external) {
    out["port_mapping"]["way"] = live.port_mapping.way;
    out["port_mapping"]["external"] = live.port_mapping.external->to_string();
  }
  out["upstream"] = {{"state", text_of(live.upstream.state)}, {"text", live.upstream.text}};
  if (!live.upstream.interface.empty()) {
    out["upstream"]["interface"] = live.upstream.interface;
  }
  json unsealed = json::array();
  for (const PeerLive& peer : live.peers) {
    unsealed.push_back(peer.name);
  }
  out["unsealed_peers"] = std::move(unsealed);
  return out;
}

json render_tunnel_interface(const TunnelInterfaceLive& inside) {
  json out = {{"state", text_of(inside.state)},
              {"text", inside.text},
              {"devices", inside.devices},
              {"packets_in", inside.packets_in},
              {"packets_out", inside.packets_out},
              {"home_connections", inside.home_connections},
              {"home_packets_in", inside.home_packets_in},
              {"home_packets_out", inside.home_packets_out},
              {"drops", render_drops(inside.drops)}};
  if (!inside.interface.empty()) {
    out["interface"] = inside.interface;
  }
  return out;
}

json render_pairing(const household::Household& household, Time now) {
  const auto& desk = household.desk();
  const auto& window = *desk.newest();
  const auto& invitation = *desk.invitation();
  return {{"id", window.id},
          {"link", invitation.link},
          {"code", invitation.code},
          {"qr_svg", qr_svg(invitation.link)},
          {"expires_in_s", seconds_until(window.closes, now)},
          {"tries_left", window.tries_left}};
}

json render_pairing_event(const household::Household& household, Time now) {
  const auto& window = household.desk().newest();
  if (!window) {
    return json::object();
  }
  json out = {{"id", window->id}, {"state", text_of(window->state)}, {"tries_left", window->tries_left}};
  if (window->state == PairingDesk::State::kOpen) {
    out["expires_in_s"] = seconds_until(window->closes, now);
  }
  if (window->device) {
    out["device_id"] = window->device->value;
  }
  return out;
}

}  // namespace hearthcast::api
