// What the API shows of the running sessions. Pure: values in, value out.
#pragma once

#include <vector>

#include "appliance/access/access.hpp"
#include "appliance/api/live.hpp"
#include "appliance/app/sessions.hpp"
#include "tunnelmgr/tunnel/reach.hpp"
#include "tunnelmgr/wire/turn_server.hpp"

namespace hearthcast::app {

// How long a joined channel may be without data before it counts as one without signal.
inline constexpr std::chrono::seconds kJoinPatience{5};

[[nodiscard]] api::PathKind path_kind(const Endpoint& path, std::optional<nat::CandidateType> type,
                                      const std::vector<IpAddress>& own);

// Channels, devices and viewers. `statistics` may be null.
[[nodiscard]] api::LiveState live_state(const std::vector<DeviceStatus>& devices,
                                        const std::vector<FlowStatus>& flows,
                                        const forward::Statistics* statistics, const access::Access& access,
                                        const std::vector<IpAddress>& own, Time now);

// What the tunnels' port dropped, by reason, in the data thread and in the sessions. `statistics` may be
// null.
[[nodiscard]] api::TunnelPortLive tunnel_port(const forward::Statistics* statistics,
                                              const SessionCounters& sessions);

struct RelayWay {
  bool needed = false;
  std::string reason{};              // why it is needed
  std::optional<Endpoint> server{};  // while there is an allocation
  wire::TurnTransport transport = wire::TurnTransport::kUdp;
  std::string trouble{};  // why there is none; empty: not known yet
};
struct ReachFacts {
  bool rendezvous_connected = false;
  std::optional<Endpoint> mapped = {};                      // as the rendezvous sees the box
  std::optional<Endpoint> forwarded = {};                   // by the router, which was asked
  std::optional<tunnel::ReachAddress> public_address = {};  // of the settings
  std::vector<IpAddress> own = {};
  std::uint16_t port = tunnel::kDefaultTunnelPort;  // UDP, of the tunnels
  RelayWay relay = {};
};
// Where devices can reach the box, in words.
[[nodiscard]] api::ReachabilityLive reachability(const ReachFacts& facts);

}  // namespace hearthcast::app
