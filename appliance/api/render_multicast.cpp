#include <algorithm>
#include <nlohmann/json.hpp>

#include "appliance/api/render.hpp"

namespace hearthcast::api {
namespace {

using multicast::MulticastStatus;
using nlohmann::json;

const char* text_of(Family family) { return family == Family::kIp4 ? "ipv4" : "ipv6"; }

const char* text_of(FilterMode mode) { return mode == FilterMode::kInclude ? "include" : "exclude"; }

const char* text_of(proxy::TunnelPolicy policy) {
  switch (policy) {
    case proxy::TunnelPolicy::kChosen:
      return "chosen";
    case proxy::TunnelPolicy::kAll:
      return "all";
    case proxy::TunnelPolicy::kNone:
      break;
  }
  return "none";
}

template <class Span>
std::int64_t seconds(Span duration) {
  return std::max<std::int64_t>(0, std::chrono::round<std::chrono::seconds>(duration).count());
}

template <class Span>
void put(json& out, const char* name, const std::optional<Span>& duration) {
  if (duration) {
    out[name] = seconds(*duration);
  }
}

void put(json& out, const char* name, const std::optional<IpAddress>& address) {
  if (address) {
    out[name] = address->to_string();
  }
}

void put(json& out, const SourceFilter& filter) {
  out["filter_mode"] = text_of(filter.mode);
  out["source_address"] = json::array();
  for (const IpAddress& source : filter.sources) {
    out["source_address"].push_back(source.to_string());
  }
}

template <class Rows, class Render>
json list(const Rows& rows, const Render& render) {
  json out = json::array();
  for (const auto& row : rows) {
    out.push_back(render(row));
  }
  return out;
}

json render_source(const membership::SourceStatus& source) {
  json out = {{"source_address", source.address.to_string()}, {"forwarded", source.forwarded}};
  put(out, "expire_s", source.expires);
  return out;
}

json render_host(const membership::ListenerStatus& host) {
  json out = {{"host_address", host.address.to_string()}, {"heard_s", seconds(host.heard)}};
  put(out, host.filter);
  return out;
}

json render_membership(const membership::GroupStatus& group) {
  json out = {{"group_address", group.group.to_string()},
              {"filter_mode", text_of(group.mode)},
              {"source", list(group.sources, render_source)},
              {"host", list(group.listeners, render_host)},
              {"up_time_s", seconds(group.age)},
              {"version", group.version},
              {"asking", group.asking}};
  put(out, "expire_s", group.expires);
  put(out, "last_reporter", group.last_reporter);
  return out;
}

json render_router(const membership::RouterStatus& router) {
  const auto& counted = router.counters;
  json drops = json::object();
  for (const auto& [name, count] : membership::drop_reasons(counted)) {
    drops[std::string(name)] = count;
  }
  json out = {{"family", text_of(router.family)},
              {"version", router.querier_version},
              {"is_querier", router.role == membership::QuerierRole::kSelf},
              {"robustness", router.robustness},
              {"query_interval_s", seconds(router.query_interval)},
              {"reports", counted.reports + counted.old_reports},
              {"leaves", counted.leaves},
              {"fast_leaves", counted.fast_leaves},
              {"queries_sent", counted.general_queries_sent + counted.specific_queries_sent},
              {"queries_heard", counted.queries_heard},
              {"drops", std::move(drops)},
              {"group", list(router.groups, render_membership)}};
  put(out, "querier", router.querier);
  put(out, "querier_expire_s", router.querier_expires);
  put(out, "next_query_s", router.next_query);
  return out;
}

json render_upstream_families(const proxy::InterfaceStatus& interface) {
  json out = json::array();
  for (const Family family : {Family::kIp4, Family::kIp6}) {
    const proxy::QuerierStatus& querier = interface.queriers[static_cast<std::size_t>(family)];
    json row = {{"family", text_of(family)}, {"version", querier.version}, {"older", querier.older}};
    put(row, "querier", querier.address);
    put(row, "last_query_s", querier.heard);
    out.push_back(std::move(row));
  }
  return out;
}

json render_traffic(const proxy::InterfaceStatus& interface, const MulticastStatus& status) {
  json out = json::array();
  for (const auto& row : status.traffic) {
    if (row.index == interface.index) {
      out.push_back({{"family", text_of(row.family)},
                     {"packets_in", row.packets_in},
                     {"bytes_in", row.bytes_in},
                     {"packets_out", row.packets_out},
                     {"bytes_out", row.bytes_out}});
    }
  }
  return out;
}

json render_interface(const proxy::InterfaceStatus& interface, const MulticastStatus& status) {
  json out = {{"interface_name", interface.name},
              {"state", proxy::code_text(interface.state)},
              {"traffic", render_traffic(interface, status)}};
  if (interface.index.value != 0) {
    out["index"] = interface.index.value;
  }
  if (!interface.why.empty()) {
    out["why"] = interface.why;
  }
  if (interface.threshold != 1) {
    out["threshold"] = interface.threshold;
  }
  if (interface.role == proxy::Role::kUpstream) {
    out["families"] = render_upstream_families(interface);
    return out;
  }
  const auto routers = std::ranges::find(status.links, interface.index, &multicast::LinkRouters::index);
  out["families"] = routers == status.links.end() ? json::array() : list(routers->families, render_router);
  return out;
}

// What an index or a tunnel is called.
struct Names {
  const proxy::InstanceStatus& instance;
  const MulticastStatus& status;

  [[nodiscard]] std::string of(proxy::InterfaceIndex index) const {
    const auto found = std::ranges::find(instance.interfaces, index, &proxy::InterfaceStatus::index);
    return found == instance.interfaces.end() ? std::to_string(index.value) : found->name;
  }
  [[nodiscard]] std::string of(const std::optional<proxy::DownstreamId>& listener) const {
    if (!listener) {
      return "static";
    }
    if (const auto* index = std::get_if<proxy::InterfaceIndex>(&*listener)) {
      return of(*index);
    }
    const PeerId peer = std::get<PeerId>(*listener);
    const auto found = std::ranges::find(status.tunnels, peer, &multicast::TunnelRouters::peer);
    return found == status.tunnels.end() ? "tunnel" : "device " + std::to_string(found->device.value);
  }
};

json render_group(const proxy::GroupStatus& group, const Names& names) {
  json out = {{"group_address", group.group.to_string()},
              {"up_time_s", seconds(group.age)},
              {"packets", group.traffic.packets},
              {"bytes", group.traffic.bytes}};
  put(out, group.merged);
  out["upstream_interface"] = list(group.upstreams, [&](const proxy::UpstreamStatus& upstream) {
    json row = {{"interface_name", names.of(upstream.index)}};
    put(row, upstream.filter);
    return row;
  });
  out["downstream_interface"] = list(group.listeners, [&](const proxy::ListenerStatus& listener) {
    json row = {{"interface_name", names.of(listener.downstream)}};
    put(row, listener.filter);
    return row;
  });
  return out;
}

json render_route(const proxy::RouteStatus& route, const Names& names) {
  json out = {{"group_address", route.key.group.to_string()},
              {"incoming_interface", names.of(route.input)},
              {"outgoing_interface",
               list(route.outputs, [&](const proxy::RouteOutput& output) { return names.of(output.index); })},
              {"kind", proxy::code_text(route.kind)},
              {"packets", route.traffic.packets},
              {"bytes", route.traffic.bytes},
              {"wrong_interface", route.traffic.wrong_interface},
              {"up_time_s", seconds(route.age)}};
  if (!route.key.source.is_unspecified()) {
    out["source_address"] = route.key.source.to_string();
  }
  put(out, "idle_s", route.idle);
  return out;
}

json render_instance(const proxy::InstanceStatus& instance, const MulticastStatus& status) {
  const Names names{instance, status};
  json drops = json::object();
  for (std::size_t at = 0; at < proxy::kDropReasons; ++at) {
    const auto reason = static_cast<proxy::Drop>(at);
    drops[std::string(proxy::code_text(reason))] = instance.drops.of(reason);
  }
  json out = {
      {"name", instance.name},
      {"send_upstream", instance.send_upstream},
      {"tunnels", text_of(instance.tunnels)},
      {"diagnosis", list(instance.diagnosis,
                         [](const proxy::Diagnosis& found) {
                           return json{{"code", proxy::code_text(found.finding)}, {"text", found.text}};
                         })},
      {"upstream_interface", json::array()},
      {"downstream_interface", json::array()},
      {"group", list(instance.groups, [&](const auto& group) { return render_group(group, names); })},
      {"route", list(instance.routes, [&](const auto& route) { return render_route(route, names); })},
      {"drops", std::move(drops)},
      {"upstream_changes", instance.upstream_changes}};
  for (const proxy::InterfaceStatus& interface : instance.interfaces) {
    out[interface.role == proxy::Role::kUpstream ? "upstream_interface" : "downstream_interface"].push_back(
        render_interface(interface, status));
  }
  return out;
}

}  // namespace

json render_drops(const std::vector<multicast::Drop>& drops) {
  json out = json::object();
  for (const auto& drop : drops) {
    out[drop.reason] = drop.count;
  }
  return out;
}

json render_tunnel_port(const TunnelPortLive& port) {
  return {{"datagrams", port.datagrams}, {"drops", render_drops(port.drops)}};
}

json render_multicast(const MulticastStatus& status) {
  return {{"instance", list(status.proxy.instances,
                            [&](const auto& instance) { return render_instance(instance, status); })},
          {"tunnel", list(status.tunnels,
                          [](const multicast::TunnelRouters& tunnel) {
                            return json{{"device_id", tunnel.device.value},
                                        {"families", list(tunnel.families, render_router)}};
                          })},
          {"trouble", status.troubles},
          {"drops", render_drops(status.drops)}};
}

}  // namespace hearthcast::api
