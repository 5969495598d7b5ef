#include "appliance/proxy/instance.hpp"

#include <algorithm>

#include "appliance/proxy/upstreams.hpp"

namespace hearthcast::proxy {

Instance::Instance(InstanceId id, InstanceSettings settings, const Capabilities& capabilities)
    : id_(id),
      settings_(std::move(settings)),
      capabilities_(capabilities),
      policy_(settings_),
      static_routes_(settings_.routes),
      members_(settings_),
      routes_(id, settings_.limits) {
  set_static_joins();
}

Restricted Instance::restricted(const DownstreamId& downstream, const IpAddress& group,
                                const SourceFilter& wished) const {
  if (is_tunnel(downstream)) {
    return policy_.for_tunnel(group, wished);
  }
  const Member* const member = members_.find(std::get<InterfaceIndex>(downstream));
  if (member == nullptr || !member->usable()) {
    return {};
  }
  return policy_.for_link(member->name, group, wished);
}

bool Instance::apply(const DownstreamId& downstream, const IpAddress& group, Group& state) {
  const auto wished = state.wished.find(downstream);
  SourceFilter filter;
  if (wished != state.wished.end()) {
    filter = restricted(downstream, group, wished->second).filter;
  }
  return state.merge.set(downstream, std::move(filter));
}

void Instance::apply_all(const DownstreamId& downstream) {
  const auto groups = groups_of_.find(downstream);
  if (groups == groups_of_.end()) {
    return;
  }
  for (const IpAddress& group : groups->second) {
    apply(downstream, group, groups_.at(group));
  }
}

void Instance::set_filter(const DownstreamId& downstream, const IpAddress& group, SourceFilter filter,
                          Time now, Actions& actions) {
  if (!group.is_multicast() || group.is_link_scope_multicast()) {
    if (!filter.wants_nothing()) {
      drops_.count(group.is_multicast() ? Drop::kLinkScope : Drop::kNotMulticast);
    }
    return;
  }
  const auto at = groups_.try_emplace(group).first;
  Group& state = at->second;
  if (filter.wants_nothing()) {
    state.wished.erase(downstream);
    const auto groups = groups_of_.find(downstream);
    if (groups != groups_of_.end()) {
      groups->second.erase(group);
      if (groups->second.empty()) {
        groups_of_.erase(groups);
      }
    }
  } else {
    if (const auto dropped = restricted(downstream, group, filter).dropped) {
      drops_.count(*dropped);
    }
    state.wished.insert_or_assign(downstream, std::move(filter));
    groups_of_[downstream].insert(group);
  }
  if (apply(downstream, group, state)) {
    refresh({group}, now, actions);
  } else if (state.empty()) {
    groups_.erase(at);
  }
}

std::set<IpAddress> Instance::erase_wishes(const DownstreamId& downstream) {
  const auto known = groups_of_.find(downstream);
  if (known == groups_of_.end()) {
    return {};
  }
  std::set<IpAddress> groups = std::move(known->second);
  groups_of_.erase(known);
  for (const IpAddress& group : groups) {
    Group& state = groups_.at(group);
    state.wished.erase(downstream);
    state.merge.set(downstream, {});
  }
  return groups;
}

void Instance::forget(const DownstreamId& downstream, Time now, Actions& actions) {
  refresh(erase_wishes(downstream), now, actions);
}

void Instance::choose(std::span<const Channel> channels, Time now, Actions& actions) {
  policy_.choose(channels);
  std::set<IpAddress> changed;
  for (const auto& [downstream, groups] : groups_of_) {
    if (!is_tunnel(downstream)) {
      continue;
    }
    for (const IpAddress& group : groups) {
      if (apply(downstream, group, groups_.at(group))) {
        changed.insert(group);
      }
    }
  }
  refresh(changed, now, actions);
}

std::map<PeerId, Instance::Wishes> Instance::tunnel_wishes() const {
  std::map<PeerId, Wishes> wishes;
  for (const auto& [downstream, groups] : groups_of_) {
    if (is_tunnel(downstream)) {
      for (const IpAddress& group : groups) {
        wishes[std::get<PeerId>(downstream)].emplace(group, groups_.at(group).wished.at(downstream));
      }
    }
  }
  return wishes;
}

void Instance::set_static_joins() {
  for (auto& [group, state] : groups_) {
    state.static_on.clear();
    state.merge.set(std::nullopt, {});
  }
  std::map<IpAddress, std::vector<SourceFilter>> by_rules;
  const auto filter_of = [](const StaticJoin& join) {
    return join.source ? SourceFilter{FilterMode::kInclude, {*join.source}} : SourceFilter::any_source();
  };
  for (const StaticJoin& join : settings_.joins) {
    for (const IpAddress& group : addresses_of(join.group)) {
      Group& state = groups_[group];
      if (join.upstream.empty()) {
        by_rules[group].push_back(filter_of(join));
      } else {
        SourceFilter& known = state.static_on[join.upstream];
        const std::vector<SourceFilter> both{known, filter_of(join)};
        known = merge(both);
      }
    }
  }
  for (const auto& [group, filters] : by_rules) {
    groups_.at(group).merge.set(std::nullopt, merge(filters));
  }
}

void Instance::refresh(const std::set<IpAddress>& groups, Time now, Actions& actions) {
  RouteActions routes;
  for (const IpAddress& group : groups) {
    update_routes(group, now, routes);
  }
  std::ranges::move(routes.before, std::back_inserter(actions));
  for (const IpAddress& group : groups) {
    const auto at = groups_.find(group);
    if (at == groups_.end()) {
      continue;
    }
    at->second.since = at->second.since.value_or(now);
    update_memberships(group, at->second, now, actions);
    if (at->second.empty()) {
      groups_.erase(at);
    }
  }
  std::ranges::move(routes.after, std::back_inserter(actions));
}

void Instance::refresh_all(Time now, Actions& actions) {
  std::set<IpAddress> groups = static_routes_.groups();
  for (const auto& [group, state] : groups_) {
    groups.insert(group);
  }
  for (const auto& [key, route] : routes_.all()) {
    groups.insert(key.group);
  }
  refresh(groups, now, actions);
}

void Instance::update_memberships(const IpAddress& group, Group& state, Time now, Actions& actions) {
  std::map<InterfaceIndex, SourceFilter> wanted = split(members_, policy_, group, state.merge.merged());
  for (const auto& [name, filter] : state.static_on) {
    const Member* const member = members_.find(name);
    if (member != nullptr && member->present()) {
      SourceFilter& part = wanted[member->index];
      const std::vector<SourceFilter> both{part, filter};
      part = merge(both);
    }
  }
  for (const auto& [index, filter] : wanted) {
    const auto [told, fresh] = state.told.try_emplace(index);
    if (fresh) {
      members_.find(index)->watch.on_join(group.family(), now);
    } else if (told->second == filter) {
      continue;
    }
    told->second = filter;
    ++upstream_changes_;
    actions.push_back(SetUpstreamFilter{index, group, filter});
  }
  for (auto told = state.told.begin(); told != state.told.end();) {
    if (wanted.contains(told->first)) {
      ++told;
      continue;
    }
    if (Member* const member = members_.find(told->first)) {
      member->watch.on_leave(group.family());
      ++upstream_changes_;
      actions.push_back(SetUpstreamFilter{told->first, group, {}});
    }
    told = state.told.erase(told);
  }
}

void Instance::on_flow(const IpAddress& group, const IpAddress& source, const Traffic& total, Time now) {
  const auto at = groups_.find(group);
  if (at == groups_.end()) {
    return;
  }
  Flow& flow = at->second.flows[source];
  if (total.packets != flow.traffic.packets) {
    flow.moved = now;
  }
  flow.traffic = total;
}

void Instance::on_deadline(Time now, Actions& actions) {
  RouteActions routes;
  routes_.expire(now, routes);
  std::ranges::move(routes.after, std::back_inserter(actions));
  for (Member& member : members_.all()) {
    if (member.looped && member.looped_until <= now) {
      member.looped = false;
      actions.push_back(Alarm{AlarmCode::kLoopEnded, "No more own queries of " + member.name +
                                                         " are heard upstream; it is served again."});
      apply_all(member.index);
      refresh_all(now, actions);
    }
    if (member.usable() && member.watch.next_report() <= now) {
      member.watch.on_reported(now);
      actions.push_back(ReportAgain{member.index});
    }
  }
}

Time Instance::next_deadline() const {
  Time next = routes_.next_deadline();
  for (const Member& member : members_.all()) {
    if (member.looped) {
      next = std::min(next, member.looped_until);
    }
    if (member.usable()) {
      next = std::min(next, member.watch.next_report());
    }
  }
  return next;
}

void Instance::close(Actions& actions) {
  for (Member& member : members_.all()) {
    leave_all(member, actions);
  }
  groups_.clear();
  groups_of_.clear();
  for (const auto& [key, route] : routes_.all()) {
    actions.push_back(RemoveRoute{id_, key, route.is.input});
  }
  routes_ = RouteTable(id_, settings_.limits);
  for (Member& member : members_.all()) {
    if (member.added) {
      actions.push_back(RemoveInterface{id_, member.index});
    }
    detach(member);
  }
}

std::optional<InterfaceIndex> Instance::upstream_of(const IpAddress& group,
                                                    const std::optional<IpAddress>& source) const {
  const Member* const member = upstream_for(members_, policy_, group, source);
  return member == nullptr ? std::nullopt : std::optional(member->index);
}

}  // namespace hearthcast::proxy
