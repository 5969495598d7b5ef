// The API's resources as JSON, in the shapes of openapi.yaml. Used by handlers and by the event stream alike.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "appliance/api/live.hpp"
#include "appliance/household/household.hpp"
#include "appliance/multicast/status.hpp"

namespace hearthcast::api {

[[nodiscard]] nlohmann::json render_channel(const channels::Channel& channel, const LiveState& live);
[[nodiscard]] nlohmann::json render_channels(const household::Household& household, const LiveState& live);
[[nodiscard]] nlohmann::json render_channels_event(const household::Household& household,
                                                   const LiveState& live);

[[nodiscard]] nlohmann::json render_device(const household::Household& household,
                                           const access::Device& device, const LiveState& live, Time now);
[[nodiscard]] nlohmann::json render_devices(const household::Household& household, const LiveState& live,
                                            Time now);
[[nodiscard]] nlohmann::json render_viewers(const household::Household& household, const LiveState& live,
                                            Time now);

[[nodiscard]] nlohmann::json render_pairing(const household::Household& household,
                                            Time now);  // of the open window
[[nodiscard]] nlohmann::json render_pairing_event(const household::Household& household, Time now);

// Of the settings, on unsealed tunnels.
[[nodiscard]] nlohmann::json render_peers(const LiveState& live, Time now);

// With `all` false only what anybody may know.
[[nodiscard]] nlohmann::json render_status(const household::Household& household, const LiveState& live,
                                           Time started, Time now, bool all);

[[nodiscard]] nlohmann::json render_multicast(const multicast::MulticastStatus& status);
[[nodiscard]] nlohmann::json render_drops(const std::vector<multicast::Drop>& drops);  // {reason: count}
// What came on the UDP port of the tunnels, and what of it was dropped and why.
[[nodiscard]] nlohmann::json render_tunnel_port(const TunnelPortLive& port);
[[nodiscard]] nlohmann::json render_tunnel_interface(const TunnelInterfaceLive& interface);

}  // namespace hearthcast::api
