#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "appliance/api/render.hpp"

namespace hearthcast::api {
namespace {

using access::Device;
using access::DeviceState;
using nlohmann::json;

json render_grants(const access::Grants& grants) {
  if (grants.all) {
    return "all";
  }
  json list = json::array();
  for (const ChannelId channel : grants.channels) {
    list.push_back(channel.value);
  }
  return list;
}

json render_home_hosts(const HomeHosts& hosts) {
  json list = json::array();
  for (const HomeHost& host : hosts) {
    list.push_back(host.to_string());
  }
  return list;
}

std::int64_t seconds_since(Time then, Time now) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(now - then).count());
}

}  // namespace

const char* to_text(PathKind path) {
  switch (path) {
    case PathKind::kLan:
      return "lan";
    case PathKind::kDirect:
      return "direct";
    case PathKind::kRelayed:
      break;
  }
  return "relayed";
}

json render_device(const household::Household& household, const Device& device, const LiveState& live,
                   Time now) {
  json out = {{"id", device.id.value},
              {"name", device.name},
              {"fingerprint", household.fingerprint(device)},
              {"state", to_text(device.state)},
              {"channels", render_grants(device.grants)},
              {"home_hosts", render_home_hosts(device.home_hosts)},
              {"connected", false},
              {"lan_link", device.lan_link.has_value()}};
  const auto at = live.devices.find(device.id);
  if (at == live.devices.end()) {
    return out;
  }
  const DeviceLive& seen = at->second;
  out["connected"] = seen.connected;
  if (seen.connected && seen.path) {
    out["path"] = to_text(*seen.path);
  }
  if (seen.connected && !seen.path_reason.empty()) {
    out["path_reason"] = seen.path_reason;
  }
  if (seen.connected && seen.address) {
    out["address"] = seen.address->to_string();
  }
  if (seen.connected && seen.path_mtu) {
    out["path_mtu"] = *seen.path_mtu;
  }
  if (seen.connected && !seen.encapsulation.empty()) {
    out["encapsulation"] = seen.encapsulation;
  }
  if (seen.connected && !seen.form.empty()) {
    out["form"] = seen.form;
  }
  if (!seen.connected && seen.last_seen) {
    out["last_seen_s"] = seconds_since(*seen.last_seen, now);
  }
  return out;
}

json render_devices(const household::Household& household, const LiveState& live, Time now) {
  std::vector<const Device*> sorted;
  for (const auto& [id, device] : household.access().devices().devices()) {
    sorted.push_back(&device);
  }
  std::ranges::sort(sorted, {}, [](const Device* d) {
    return std::tuple(d->state != DeviceState::kPending, std::string_view(d->name), d->id);
  });
  json list = json::array();
  for (const Device* device : sorted) {
    list.push_back(render_device(household, *device, live, now));
  }
  return {{"devices", std::move(list)}};
}

json render_viewers(const household::Household& household, const LiveState& live, Time now) {
  std::vector<ViewerLive> viewers = live.viewers;
  std::ranges::sort(viewers, {},
                    [](const ViewerLive& v) { return std::tuple(v.since, v.device, v.channel); });
  json list = json::array();
  for (const ViewerLive& viewer : viewers) {
    const Device* device = household.access().devices().find(viewer.device);
    const auto* channel = household.access().catalogue().find(viewer.channel);
    if (device == nullptr || channel == nullptr) {
      continue;  // forgotten a moment ago; it is being cut off
    }
    json out = {{"device_id", device->id.value},
                {"device_name", device->name},
                {"channel_id", channel->id.value},
                {"channel_name", channel->name},
                {"via", viewer.via == ViewerLive::Via::kLanLink ? "lan_link" : "tunnel"},
                {"players", viewer.players},
                {"since_s", seconds_since(viewer.since, now)},
                {"packets", viewer.packets},
                {"bytes", viewer.bytes},
                {"dropped", viewer.dropped},
                {"asked_again", viewer.asked_again},
                {"sent_again", viewer.sent_again},
                {"not_sent_again", viewer.not_sent_again}};
    if (!viewer.form.empty()) {
      out["form"] = viewer.form;
    }
    if (viewer.path) {
      out["path"] = to_text(*viewer.path);
    }
    list.push_back(std::move(out));
  }
  return {{"viewers", std::move(list)}};
}

}  // namespace hearthcast::api
