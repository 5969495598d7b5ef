#include <nlohmann/json.hpp>

#include "appliance/api/render.hpp"

namespace hearthcast::api {
namespace {

using nlohmann::json;

const char* state_text(ChannelLive::State state) {
  switch (state) {
    case ChannelLive::State::kJoining:
      return "joining";
    case ChannelLive::State::kLive:
      return "live";
    case ChannelLive::State::kNoSignal:
      return "no_signal";
    case ChannelLive::State::kIdle:
      break;
  }
  return "idle";
}

json render_live(const ChannelLive& live) {
  return {{"state", state_text(live.state)},
          {"bitrate_bps", live.bitrate_bps},
          {"packets", live.packets},
          {"continuity_errors", live.continuity_errors},
          {"viewers", live.viewers}};
}

json render_flow(const FlowKey& flow) {
  json out = {{"group", flow.group.to_string()}, {"port", flow.port}};
  if (flow.source) {
    out["source"] = flow.source->to_string();
  }
  return out;
}

}  // namespace

json render_channel(const channels::Channel& channel, const LiveState& live) {
  const auto at = live.channels.find(channel.id);
  return {{"id", channel.id.value},
          {"name", channel.name},
          {"flow", render_flow(channel.flow)},
          {"rtp", channel.rtp},
          {"attributes", channel.attributes},
          {"live", render_live(at == live.channels.end() ? ChannelLive{} : at->second)}};
}

json render_channels(const household::Household& household, const LiveState& live) {
  const auto& catalogue = household.access().catalogue();
  json list = json::array();
  for (const auto& channel : catalogue.channels()) {
    list.push_back(render_channel(channel, live));
  }
  return {{"revision", catalogue.revision()}, {"channels", std::move(list)}};
}

json render_channels_event(const household::Household& household, const LiveState& live) {
  const auto& catalogue = household.access().catalogue();
  json list = json::array();
  for (const auto& channel :
       catalogue.channels()) {  // in the catalogue's order, so equal states are equal texts
    if (const auto at = live.channels.find(channel.id); at != live.channels.end()) {
      list.push_back({{"id", channel.id.value}, {"live", render_live(at->second)}});
    }
  }
  return {{"revision", catalogue.revision()}, {"live", std::move(list)}};
}

}  // namespace hearthcast::api
