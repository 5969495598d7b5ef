#include "appliance/api/metrics.hpp"

#include <algorithm>

#include "appliance/api/problem.hpp"
#include "tunnelmgr/http/exposition.hpp"

namespace hearthcast::api {
using http::Exposition;

namespace {

template <class Span>
std::uint64_t seconds(Span duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::round<std::chrono::seconds>(duration).count()));
}

std::string text_of(Family family) { return family == Family::kIp4 ? "ipv4" : "ipv6"; }

void box(Exposition& out, const LiveState& live, Duration up_time) {
  out.gauge("hearthcast_info", "Always 1; the version is a label.");
  out.sample({{"version", HEARTHCAST_VERSION}}, 1);
  out.gauge("hearthcast_up_time_seconds", "Since the box started.");
  out.sample({}, seconds(up_time));
  out.gauge("hearthcast_rendezvous_connected", "Whether the rendezvous can introduce devices.");
  out.sample({}, live.rendezvous.state == RendezvousLive::State::kConnected ? 1 : 0);
  out.gauge("hearthcast_devices_connected", "Devices whose tunnel is up.");
  out.sample({}, static_cast<std::uint64_t>(std::ranges::count_if(
                     live.devices, [](const auto& entry) { return entry.second.connected; })));
  out.counter("hearthcast_tunnel_port_datagrams_total", "Datagrams that came on the port of the tunnels.");
  out.sample({}, live.tunnel_port.datagrams);
  out.counter("hearthcast_tunnel_port_drops_total", "Datagrams dropped there, by reason.");
  for (const auto& drop : live.tunnel_port.drops) {
    out.sample({{"reason", drop.reason}}, drop.count);
  }
  out.counter("hearthcast_tunnel_interface_packets_total",
              "Packets between devices and the box's own addresses inside the tunnels.");
  out.sample({{"direction", "in"}}, live.tunnel_interface.packets_in);
  out.sample({{"direction", "out"}}, live.tunnel_interface.packets_out);
  out.counter("hearthcast_home_hosts_packets_total", "Packets between devices and hosts at home.");
  out.sample({{"direction", "in"}}, live.tunnel_interface.home_packets_in);
  out.sample({{"direction", "out"}}, live.tunnel_interface.home_packets_out);
  out.gauge("hearthcast_home_hosts_connections", "Connections of devices to hosts at home now.");
  out.sample({}, live.tunnel_interface.home_connections);
  out.counter("hearthcast_tunnel_interface_drops_total", "Packets that did not pass there, by reason.");
  for (const auto& drop : live.tunnel_interface.drops) {
    out.sample({{"reason", drop.reason}}, drop.count);
  }
}

// One metric of every channel, in order of number.
void each_channel(Exposition& out, const LiveState& live, std::uint64_t (*value)(const ChannelLive&)) {
  std::vector<ChannelId> ids;
  for (const auto& [id, channel] : live.channels) {
    ids.push_back(id);
  }
  std::ranges::sort(ids);
  for (const ChannelId id : ids) {
    out.sample({{"channel", std::to_string(id.value)}}, value(live.channels.at(id)));
  }
}

void channels(Exposition& out, const LiveState& live) {
  out.gauge("hearthcast_channel_viewers", "Tunnels and HTTP players that a carried channel goes to.");
  each_channel(out, live, [](const ChannelLive& c) { return static_cast<std::uint64_t>(c.viewers); });
  out.gauge("hearthcast_channel_signal", "Whether packets of the channel come.");
  each_channel(out, live, [](const ChannelLive& c) {
    return static_cast<std::uint64_t>(c.state == ChannelLive::State::kLive ? 1 : 0);
  });
  out.gauge("hearthcast_channel_bits_per_second", "As the provider sends it.");
  each_channel(out, live, [](const ChannelLive& c) { return c.bitrate_bps; });
  out.counter("hearthcast_channel_packets_total", "Since the channel was joined.");
  each_channel(out, live, [](const ChannelLive& c) { return c.packets; });
  out.counter("hearthcast_channel_kernel_drops_total",
              "That the box did not read in time, since it was joined: its machine was too busy.");
  each_channel(out, live, [](const ChannelLive& c) { return c.kernel_drops; });
  out.counter("hearthcast_channel_continuity_errors_total",
              "Gaps in its transport stream since it was joined.");
  each_channel(out, live, [](const ChannelLive& c) { return c.continuity_errors; });
}

void each_viewer(Exposition& out, const LiveState& live, std::uint64_t ViewerLive::*value) {
  for (const ViewerLive& viewer : live.viewers) {
    out.sample(
        {{"device", std::to_string(viewer.device.value)}, {"channel", std::to_string(viewer.channel.value)}},
        viewer.*value);
  }
}

void viewers(Exposition& out, const LiveState& live) {
  out.counter("hearthcast_viewer_packets_total", "Sent to a device.");
  each_viewer(out, live, &ViewerLive::packets);
  out.counter("hearthcast_viewer_bytes_total", "Sent to a device, sealed.");
  each_viewer(out, live, &ViewerLive::bytes);
  out.counter("hearthcast_viewer_drops_total", "That a device lost because its path was too slow.");
  each_viewer(out, live, &ViewerLive::dropped);
  out.counter("hearthcast_viewer_asked_again_total",
              "Packets that did not arrive and a device asked for again.");
  each_viewer(out, live, &ViewerLive::asked_again);
  out.counter("hearthcast_viewer_sent_again_total", "Of these, sent once more.");
  each_viewer(out, live, &ViewerLive::sent_again);
  out.counter("hearthcast_viewer_not_sent_again_total",
              "Of these, not sent: gone already, or over the limit for repairs.");
  each_viewer(out, live, &ViewerLive::not_sent_again);
  out.gauge("hearthcast_viewer_form", "Always 1; how a device's datagrams travel is a label.");
  for (const ViewerLive& viewer : live.viewers) {
    if (!viewer.form.empty()) {
      out.sample({{"device", std::to_string(viewer.device.value)},
                  {"channel", std::to_string(viewer.channel.value)},
                  {"form", viewer.form}},
                 1);
    }
  }
  out.gauge("hearthcast_device_path",
            "Always 1; how a connected device's packets travel, and why, are labels.");
  std::map<DeviceId, const DeviceLive*> connected;
  for (const auto& [id, device] : live.devices) {
    if (device.connected && device.path) {
      connected.emplace(id, &device);
    }
  }
  for (const auto& [id, device] : connected) {
    out.sample({{"device", std::to_string(id.value)},
                {"path", to_text(*device->path)},
                {"reason", device->path_reason}},
               1);
  }
  out.gauge("hearthcast_device_path_mtu_bytes", "The largest IP packet that is known to reach a device.");
  std::vector<std::pair<DeviceId, std::uint16_t>> known;
  for (const auto& [id, device] : live.devices) {
    if (device.path_mtu) {
      known.emplace_back(id, *device.path_mtu);
    }
  }
  std::ranges::sort(known);
  for (const auto& [id, path_mtu] : known) {
    out.sample({{"device", std::to_string(id.value)}}, path_mtu);
  }
}

void lan(Exposition& out, const LanLive& live) {
  out.gauge("hearthcast_lan_players", "HTTP players at home that a channel is sent to.");
  out.sample({}, live.players);
  out.counter("hearthcast_lan_players_total", "That ever were, since the box started.");
  out.sample({}, live.started);
  out.counter("hearthcast_lan_bytes_total", "Sent to HTTP players at home.");
  out.sample({}, live.bytes);
  out.counter("hearthcast_lan_too_slow_total", "HTTP players dropped because they stopped reading.");
  out.sample({}, live.too_slow);
  out.counter("hearthcast_lan_refused_total", "Requests of HTTP players refused, by reason.");
  for (const auto& refused : live.refused) {
    out.sample({{"reason", refused.reason}}, refused.count);
  }
}

// The router's sides of all links and tunnels, with what they are called.
struct NamedRouter {
  std::string name;
  const membership::RouterStatus& router;
};

std::string interface_name(const multicast::MulticastStatus& status, proxy::InterfaceIndex index) {
  for (const auto& instance : status.proxy.instances) {
    const auto found = std::ranges::find(instance.interfaces, index, &proxy::InterfaceStatus::index);
    if (found != instance.interfaces.end()) {
      return found->name;
    }
  }
  return std::to_string(index.value);
}

std::vector<NamedRouter> all_routers(const multicast::MulticastStatus& status) {
  std::vector<NamedRouter> all;
  for (const auto& link : status.links) {
    for (const auto& router : link.families) {
      all.push_back({interface_name(status, link.index), router});
    }
  }
  for (const auto& tunnel : status.tunnels) {
    for (const auto& router : tunnel.families) {
      all.push_back({"device " + std::to_string(tunnel.device.value), router});
    }
  }
  return all;
}

void routers(Exposition& out, const multicast::MulticastStatus& status) {
  const auto all = all_routers(status);
  const auto sample = [&](std::uint64_t (*value)(const membership::RouterStatus&)) {
    for (const auto& [name, router] : all) {
      out.sample({{"interface", name}, {"family", text_of(router.family)}}, value(router));
    }
  };
  out.gauge("hearthcast_multicast_querier",
            "Whether the box asks there; else another router does, or nobody.");
  sample([](const membership::RouterStatus& r) -> std::uint64_t {
    return r.role == membership::QuerierRole::kSelf ? 1 : 0;
  });
  out.gauge("hearthcast_multicast_link_groups", "Groups that somebody there listens to.");
  sample([](const membership::RouterStatus& r) -> std::uint64_t { return r.groups.size(); });
  out.counter("hearthcast_multicast_reports_total", "Reports taken.");
  sample([](const membership::RouterStatus& r) { return r.counters.reports + r.counters.old_reports; });
  out.counter("hearthcast_multicast_queries_sent_total", "Queries sent.");
  sample([](const membership::RouterStatus& r) {
    return r.counters.general_queries_sent + r.counters.specific_queries_sent;
  });
  out.counter("hearthcast_multicast_queries_heard_total", "Queries of other routers.");
  sample([](const membership::RouterStatus& r) { return r.counters.queries_heard; });
  out.counter("hearthcast_multicast_link_drops_total",
              "Membership packets and records not heeded, by reason.");
  for (const auto& [name, router] : all) {
    for (const auto& [reason, count] : membership::drop_reasons(router.counters)) {
      out.sample({{"interface", name}, {"family", text_of(router.family)}, {"reason", std::string(reason)}},
                 count);
    }
  }
}

void upstreams(Exposition& out, const multicast::MulticastStatus& status) {
  out.gauge("hearthcast_multicast_upstream_query_age_seconds",
            "Since the provider's last query; absent before one.");
  for (const auto& instance : status.proxy.instances) {
    for (const auto& interface : instance.interfaces) {
      for (const Family family : {Family::kIp4, Family::kIp6}) {
        const auto& heard = interface.queriers[static_cast<std::size_t>(family)].heard;
        if (interface.role == proxy::Role::kUpstream && heard) {
          out.sample(
              {{"instance", instance.name}, {"interface", interface.name}, {"family", text_of(family)}},
              seconds(*heard));
        }
      }
    }
  }
}

// One sample of each instance.
template <class Value>
void each_instance(Exposition& out, const multicast::MulticastStatus& status, const Value& value) {
  for (const auto& instance : status.proxy.instances) {
    out.sample({{"instance", instance.name}}, value(instance));
  }
}

void instances(Exposition& out, const multicast::MulticastStatus& status) {
  using proxy::InstanceStatus;
  out.gauge("hearthcast_multicast_groups", "Groups that are wanted.");
  each_instance(out, status, [](const InstanceStatus& i) { return i.groups.size(); });
  out.gauge("hearthcast_multicast_routes", "Entries of the kernel's table.");
  each_instance(out, status, [](const InstanceStatus& i) { return i.routes.size(); });
  out.gauge("hearthcast_multicast_findings", "What the box's diagnosis finds wrong now.");
  each_instance(out, status, [](const InstanceStatus& i) { return i.diagnosis.size(); });
  out.counter("hearthcast_multicast_upstream_changes_total", "Changes of what the provider is asked for.");
  each_instance(out, status, [](const InstanceStatus& i) { return i.upstream_changes; });
  out.counter("hearthcast_multicast_drops_total", "Requests and packets not heeded, by reason.");
  for (const auto& instance : status.proxy.instances) {
    for (std::size_t at = 0; at < proxy::kDropReasons; ++at) {
      const auto reason = static_cast<proxy::Drop>(at);
      out.sample({{"instance", instance.name}, {"reason", std::string(proxy::code_text(reason))}},
                 instance.drops.of(reason));
    }
  }
  for (const auto& drop : status.drops) {
    out.sample({{"instance", ""}, {"reason", drop.reason}}, drop.count);
  }
}

void each_route(Exposition& out, const multicast::MulticastStatus& status,
                std::uint64_t proxy::Traffic::*value) {
  for (const auto& instance : status.proxy.instances) {
    for (const auto& route : instance.routes) {
      const IpAddress& source = route.key.source;
      out.sample({{"instance", instance.name},
                  {"source", source.is_unspecified() ? "any" : source.to_string()},
                  {"group", route.key.group.to_string()}},
                 route.traffic.*value);
    }
  }
}

void routes(Exposition& out, const multicast::MulticastStatus& status) {
  out.counter("hearthcast_multicast_route_packets_total", "That the kernel saw on a route.");
  each_route(out, status, &proxy::Traffic::packets);
  out.counter("hearthcast_multicast_route_bytes_total", "That the kernel saw on a route.");
  each_route(out, status, &proxy::Traffic::bytes);
  out.counter("hearthcast_multicast_route_wrong_interface_total",
              "Packets of a route that came in elsewhere.");
  each_route(out, status, &proxy::Traffic::wrong_interface);
}

void traffic(Exposition& out, const multicast::MulticastStatus& status) {
  out.counter("hearthcast_multicast_interface_packets_total", "That multicast routing moved through it.");
  for (const auto& row : status.traffic) {
    const std::string name = interface_name(status, row.index);
    out.sample({{"interface", name}, {"family", text_of(row.family)}, {"direction", "in"}}, row.packets_in);
    out.sample({{"interface", name}, {"family", text_of(row.family)}, {"direction", "out"}}, row.packets_out);
  }
}

}  // namespace

std::string metrics_text(const LiveState& live, Duration up_time) {
  Exposition out;
  box(out, live, up_time);
  channels(out, live);
  viewers(out, live);
  lan(out, live.lan);
  if (live.multicast) {
    routers(out, *live.multicast);
    upstreams(out, *live.multicast);
    instances(out, *live.multicast);
    routes(out, *live.multicast);
    traffic(out, *live.multicast);
  }
  return out.text();
}

http::Response metrics(const http::Request& request, const LiveState& live, Time now,
                       const Services& services) {
  const bool near = request.transport == http::Transport::kUnix || request.peer.address.is_loopback();
  if (!near && !services.metrics_for_all) {
    return respond({403, "metrics_local", "Metrics are only for the box itself.",
                    "Set metrics.for_all = true in its settings to let the whole network read them.", ""});
  }
  if (request.method != "GET" && request.method != "HEAD") {
    auto response = http::Response::text(405, "Metrics can only be read.\n");
    response.headers.set("Allow", "GET, HEAD");
    return response;
  }
  http::Response response;
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.body = metrics_text(live, now - services.started);
  return response;
}

}  // namespace hearthcast::api
