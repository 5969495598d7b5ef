// A multicast plane in the middle of its work: one instance with a stream to a LAN and a device away.
#pragma once

#include "appliance/multicast/status.hpp"

namespace hearthcast::api::testing_multicast {

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }

inline membership::RouterStatus router() {
  using namespace std::chrono_literals;
  membership::RouterStatus router;
  router.family = Family::kIp6;
  router.role = membership::QuerierRole::kSelf;
  router.querier = ip("fe80::1");
  router.querier_version = 2;
  router.robustness = 2;
  router.query_interval = 125s;
  router.next_query = 60s;
  router.counters.reports = 10;
  router.counters.old_reports = 2;
  router.counters.general_queries_sent = 5;
  router.counters.specific_queries_sent = 3;
  router.counters.over_limit = 5;
  membership::GroupStatus group;
  group.group = ip("ff3e::8000:1");
  group.sources = {{.address = ip("2001:db8::1"), .forwarded = true, .expires = 250s}};
  group.listeners = {
      {.address = ip("fe80::9"), .filter = {FilterMode::kInclude, {ip("2001:db8::1")}}, .heard = 10s}};
  group.last_reporter = ip("fe80::9");
  group.age = 40s;
  group.version = 2;
  router.groups = {group};
  return router;
}

inline multicast::MulticastStatus example() {
  using namespace std::chrono_literals;
  const proxy::InterfaceIndex eth0{2}, eth1{3};
  const SourceFilter wanted{FilterMode::kInclude, {ip("2001:db8::1")}};
  proxy::InstanceStatus tv;
  tv.name = "tv";
  tv.tunnels = proxy::TunnelPolicy::kChosen;
  tv.interfaces = {
      {.name = "eth0", .index = eth0, .role = proxy::Role::kUpstream, .state = proxy::InterfaceState::kUp},
      {.name = "eth1", .index = eth1, .role = proxy::Role::kDownstream, .state = proxy::InterfaceState::kUp},
      {.name = "eth9", .index = {}, .role = proxy::Role::kDownstream}};
  auto& querier = tv.interfaces[0].queriers[static_cast<std::size_t>(Family::kIp6)];
  querier = {.self = false, .address = ip("fe80::99"), .version = 1, .heard = 300s, .older = true};
  proxy::GroupStatus group;
  group.group = ip("ff3e::8000:1");
  group.merged = wanted;
  group.upstreams = {{eth0, wanted}};
  group.listeners = {
      {proxy::DownstreamId(eth1), wanted}, {proxy::DownstreamId(PeerId{7}), wanted}, {std::nullopt, wanted}};
  group.age = 40s;
  group.traffic = {.packets = 1000, .bytes = 1'316'000};
  tv.groups = {group};
  proxy::RouteStatus route;
  route.key = {ip("ff3e::8000:1"), ip("2001:db8::1")};
  route.input = eth0;
  route.outputs = {{eth1, 1}};
  route.traffic = {.packets = 1000, .bytes = 1'316'000, .wrong_interface = 2};
  route.age = 40s;
  route.idle = 1s;
  proxy::RouteStatus unwanted;
  unwanted.key = {ip("239.9.9.9"), IpAddress::any(Family::kIp4)};
  unwanted.input = eth0;
  unwanted.kind = proxy::RouteKind::kNegative;
  tv.routes = {route, unwanted};
  tv.diagnosis = {{proxy::Finding::kNoQuery, "No query seen from the provider on eth0 for 300 s."}};
  tv.drops.count(proxy::Drop::kDeniedByRule, 7);
  tv.upstream_changes = 4;

  multicast::MulticastStatus status;
  status.proxy.instances = {tv};
  status.links = {{eth1, {router()}}};
  status.tunnels = {{PeerId{7}, DeviceId{3}, {router()}}};
  status.traffic = {{.index = eth0, .family = Family::kIp6, .packets_in = 1000, .bytes_in = 1'376'000},
                    {.index = eth1, .family = Family::kIp4},
                    {.index = eth1, .family = Family::kIp6, .packets_out = 999, .bytes_out = 1'374'624}};
  status.troubles = {"The kernel has no table left."};
  status.drops = {{"link_overflow", 11}};
  return status;
}

}  // namespace hearthcast::api::testing_multicast
