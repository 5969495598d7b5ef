// What an instance shows of itself.
#include <algorithm>

#include "appliance/proxy/instance.hpp"

namespace hearthcast::proxy {
namespace {

std::chrono::seconds ago(Time then, Time now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now - then);
}

void add(Traffic& sum, const Traffic& part) {
  sum.packets += part.packets;
  sum.bytes += part.bytes;
  sum.wrong_interface += part.wrong_interface;
}

InterfaceState state_of(const Member& member) {
  if (member.index == InterfaceIndex{}) {
    return InterfaceState::kAbsent;
  }
  if (!member.refused.empty() || member.no_room) {
    return InterfaceState::kRefused;
  }
  if (!member.up) {
    return InterfaceState::kDown;
  }
  return member.shut_off() ? InterfaceState::kLooped : InterfaceState::kUp;
}

}  // namespace

InstanceStatus Instance::status(Time now) const {
  InstanceStatus status{.id = id_,
                        .name = settings_.name,
                        .send_upstream = settings_.send_upstream,
                        .tunnels = settings_.tunnels};
  append_interfaces(status, now);
  append_groups(status, now);
  append_routes(status, now);
  diagnose_interfaces(status.diagnosis, now);
  diagnose_groups(status.diagnosis, now);
  status.drops = drops_;
  status.upstream_changes = upstream_changes_;
  return status;
}

void Instance::append_interfaces(InstanceStatus& status, Time now) const {
  for (const Member& member : members_.all()) {
    InterfaceStatus shown{.name = member.name,
                          .index = member.index,
                          .role = member.role,
                          .state = state_of(member),
                          .threshold = member.threshold};
    if (member.no_room) {
      shown.why = "the kernel table is full";
    } else if (!member.refused.empty()) {
      shown.why = member.refused;
    } else if (member.looped) {
      shown.why = "its own queries were heard upstream";
    } else if (member.same_link) {
      shown.why = "this machine joins it to the upstream";
    }
    for (const Family family : {Family::kIp4, Family::kIp6}) {
      const auto side = static_cast<std::size_t>(family);
      if (member.role == Role::kUpstream) {
        shown.queriers[side] = member.watch.status(family, now);
      } else {
        shown.queriers[side] = {.self = member.querier[side] && member.usable(),
                                .address = member.other_querier[side]};
      }
    }
    status.interfaces.push_back(std::move(shown));
  }
}

void Instance::append_groups(InstanceStatus& status, Time now) const {
  for (const auto& [group, state] : groups_) {
    if (state.merge.empty() && state.static_on.empty()) {
      continue;  // wished for in vain: that is counted, by its reason
    }
    GroupStatus shown{
        .group = group, .merged = state.merge.merged(), .age = ago(state.since.value_or(now), now)};
    for (const auto& [index, filter] : state.told) {
      shown.upstreams.push_back({index, filter});
    }
    for (const auto& [listener, filter] : state.merge.listeners()) {
      shown.listeners.push_back({listener, filter});
    }
    for (const auto& [name, filter] : state.static_on) {
      shown.listeners.push_back({std::nullopt, filter});
    }
    for (auto at = routes_.begin_of(group); at != routes_.all().end() && at->first.group == group; ++at) {
      add(shown.traffic, at->second.traffic);
    }
    for (const auto& [source, flow] : state.flows) {
      // The kernel's table counts the packets that the data plane receives as well, where it has one.
      if (routes_.find({group, source}) == nullptr) {
        add(shown.traffic, flow.traffic);
      }
    }
    status.groups.push_back(std::move(shown));
  }
}

void Instance::append_routes(InstanceStatus& status, Time now) const {
  for (const auto& [key, route] : routes_.all()) {
    RouteStatus shown{.key = key,
                      .input = route.is.input,
                      .outputs = route.is.outputs,
                      .traffic = route.traffic,
                      .age = ago(route.since, now)};
    shown.kind = route.negative() && route.is.pinned ? RouteKind::kTunnelsOnly
                 : route.negative()                  ? RouteKind::kNegative
                 : route.is.is_static                ? RouteKind::kStatic
                                                     : RouteKind::kListened;
    if (route.moved) {
      shown.idle = ago(*route.moved, now);
    }
    status.routes.push_back(std::move(shown));
  }
}

}  // namespace hearthcast::proxy
