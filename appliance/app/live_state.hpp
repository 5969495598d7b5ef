// What the API shows of the running sessions. Pure: values in, value out.
#pragma once

#include <vector>

#include "appliance/access/access.hpp"
#include "appliance/api/live.hpp"
#include "appliance/app/sessions.hpp"

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

// Where devices can reach the box, in words. `mapped`: as the rendezvous sees it.
[[nodiscard]] api::ReachabilityLive reachability(const std::optional<Endpoint>& mapped,
                                                 const std::vector<IpAddress>& own, bool rendezvous_connected,
                                                 const std::optional<Endpoint>& forwarded = {});

}  // namespace hearthcast::app
