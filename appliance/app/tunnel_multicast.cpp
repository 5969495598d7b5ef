// The multicast plane beside the tunnels: what it is told, and what it decides for them.
#include <algorithm>

#include "appliance/app/tunnel_state.hpp"

namespace hearthcast::app {

void TunnelService::State::tell_interfaces(Time now) {
  multicast_plane.on_interfaces(upstream.interfaces(), now);
  const auto& usual = upstream.interface();
  multicast_plane.on_usual_upstream(usual ? std::optional(usual->index) : std::nullopt, now);
  trace_service.on_interfaces(upstream.interfaces(), multicast_plane.traced_links());
}

void TunnelService::State::on_channels(Time now) {
  std::vector<proxy::Channel> channels;
  for (const auto& channel : snapshot.access->catalogue().channels()) {
    channels.push_back({channel.flow.group, channel.flow.source});
  }
  multicast_plane.on_channels(std::move(channels), now);
}

void TunnelService::State::on_statistics(Time now) {
  const forward::Statistics* statistics = sessions->statistics();
  if (statistics == nullptr || statistics == seen_statistics) {
    return;
  }
  seen_statistics = statistics;
  for (const forward::FlowCounters& counted : statistics->flows) {
    if (const FlowKey* key = sessions->flow(counted.flow)) {
      multicast_plane.on_flow(*key, {.packets = counted.packets, .bytes = counted.bytes}, now);
    }
  }
}

// The plane has another upstream for flows that run: they are joined anew there, and their numbers go on.
void TunnelService::State::rejoin_if_moved(Time now) {
  const unsigned usual = upstream.interface() ? upstream.interface()->index : 0;
  const bool moved = std::ranges::any_of(sessions->flows(), [&](const FlowStatus& flow) {
    const unsigned now_at = multicast_plane.upstream_for(flow.key).value_or(usual);
    return flow.interface_index != 0 && now_at != 0 && now_at != flow.interface_index;
  });
  if (moved) {
    sessions->on_upstream_change(now);
  }
}

void TunnelService::on_multicast_settings(multicast::MulticastSettings settings) {
  if (state_->stopped) {
    return;
  }
  const Time now = Clock::now();
  state_->multicast_plane.reload(std::move(settings), now);
  state_->trace_service.on_interfaces(state_->upstream.interfaces(), state_->multicast_plane.traced_links());
  state_->rejoin_if_moved(now);
  state_->arm();
}

multicast::MulticastStatus TunnelService::multicast() const {
  const Time now = Clock::now();
  auto status = state_->multicast_plane.status(now);
  status.tunnels = state_->sessions->routers(now);
  return status;
}

}  // namespace hearthcast::app
