// The routes of an instance: RFC 4605 section 4.2, and what the kernel asks about.
#include <algorithm>

#include "appliance/proxy/instance.hpp"
#include "appliance/proxy/upstreams.hpp"

namespace hearthcast::proxy {

std::set<IpAddress> Instance::named_sources(const IpAddress& group) const {
  std::set<IpAddress> sources = static_routes_.sources_of(group);
  const auto at = groups_.find(group);
  if (at == groups_.end()) {
    return sources;
  }
  // A route of any source would let excluded ones pass: they need routes of their own then.
  const bool excluded_too = has_any_source_route(group);
  for (const auto& [listener, filter] : at->second.merge.listeners()) {
    if (listener && !is_tunnel(*listener) && (filter.mode == FilterMode::kInclude || excluded_too)) {
      sources.insert(filter.sources.begin(), filter.sources.end());
    }
  }
  return sources;
}

bool Instance::has_any_source_route(const IpAddress& group) const {
  return capabilities_.any_source_routes && static_routes_.any_source_of(group);
}

const Member* Instance::input_of(const IpAddress& group, const IpAddress& source) const {
  const std::optional<IpAddress> named = source.is_unspecified() ? std::nullopt : std::optional(source);
  if (const std::string* const from = static_routes_.from(group, named)) {
    const Member* const member = members_.find(*from);
    if (member != nullptr && member->present() && (!named || is_forwardable_source(source))) {
      return member;
    }
  }
  return expected_input(members_, policy_, group, source);
}

std::vector<RouteOutput> Instance::outputs_of(const IpAddress& group, const IpAddress& source,
                                              const Member& input) const {
  const bool any = source.is_unspecified();
  if (input.shut_off() || (!any && !policy_.allows(input.name, group, source))) {
    return {};
  }
  std::set<RouteOutput> outputs;
  const auto add = [&](const Member& member) {
    if (member.index != input.index && member.usable()) {
      outputs.insert({member.index, member.threshold});
    }
  };
  if (const auto at = groups_.find(group); at != groups_.end()) {
    for (const auto& [listener, filter] : at->second.merge.listeners()) {
      if (!listener) {
        continue;
      }
      if (is_tunnel(*listener)) {
        break;  // they come after all links, and the data plane serves them
      }
      const Member* const member = members_.find(std::get<InterfaceIndex>(*listener));
      if (member == nullptr || !member->querier[static_cast<std::size_t>(group.family())]) {
        continue;
      }
      const bool wanted =
          any ? filter.mode == FilterMode::kExclude && policy_.reach(member->name, group) == Reach::kAll
              : filter.admits(source) && policy_.allows(member->name, group, source);
      if (wanted) {
        add(*member);
      }
    }
  }
  for (const std::string& name :
       static_routes_.to(input.name, group, any ? std::nullopt : std::optional(source))) {
    if (const Member* const member = members_.find(name)) {
      add(*member);
    }
  }
  if (settings_.send_upstream && input.role == Role::kDownstream && !any) {
    if (const Member* const member = upstream_for(members_, policy_, group, source)) {
      add(*member);
    }
  }
  return {outputs.begin(), outputs.end()};
}

void Instance::update_routes(const IpAddress& group, Time now, RouteActions& actions) {
  if (!routing()) {
    return;
  }
  const std::set<IpAddress> named = named_sources(group);
  std::set<IpAddress> sources = named;
  for (auto at = routes_.begin_of(group); at != routes_.all().end() && at->first.group == group; ++at) {
    sources.insert(at->first.source);
  }
  if (has_any_source_route(group)) {
    sources.insert(IpAddress::any(group.family()));
  }
  for (const IpAddress& source : sources) {
    update_route({group, source}, named.contains(source), std::nullopt, now, actions);
  }
}

void Instance::update_route(const RouteKey& key, bool asked_for, std::optional<InterfaceIndex> seen_at,
                            Time now, RouteActions& actions) {
  const Route* const known = routes_.find(key);
  const bool any_source_route = has_any_source_route(key.group);
  if (key.source.is_unspecified() && !any_source_route) {
    routes_.remove(key, actions);
    return;
  }
  const Member* const input = input_of(key.group, key.source);
  if (input == nullptr) {
    // Nothing may be forwarded. What exists goes on saying so while its input is there.
    if (!seen_at && known != nullptr && members_.find(known->is.input) != nullptr) {
      seen_at = known->is.input;
    }
    if (seen_at) {
      routes_.set(key, {.input = *seen_at}, now, actions);
    } else {
      routes_.remove(key, actions);
    }
    return;
  }
  WantedRoute wanted{.input = input->index, .outputs = outputs_of(key.group, key.source, *input)};
  if (wanted.outputs.empty() && known == nullptr && !seen_at && !any_source_route) {
    return;
  }
  if (wanted.outputs.empty()) {
    // What tunnels name is no unwanted stream, though the kernel has nowhere to send it.
    wanted.pinned = any_source_route || named_by_tunnels(key);
  } else {
    wanted.pinned = asked_for || key.source.is_unspecified();
  }
  wanted.is_static =
      static_routes_.from(key.group,
                          key.source.is_unspecified() ? std::nullopt : std::optional(key.source)) != nullptr;
  routes_.set(key, std::move(wanted), now, actions);
}

void Instance::on_data(Member& input, const IpAddress& source, const IpAddress& group, Time now,
                       Actions& actions) {
  if (!group.is_multicast() || group.is_link_scope_multicast()) {
    drops_.count(Drop::kLinkScope);
    return;
  }
  if (source.is_unspecified() || source.is_multicast() || source.is_loopback()) {
    drops_.count(
        Drop::kBadSource);  // and no route: the kernel drops these by itself, or they would be any source
    return;
  }
  if (!routing()) {
    return;
  }
  const RouteKey key{group, source};
  const Member* const expected = input_of(group, source);
  if (!is_forwardable_source(source)) {
    drops_.count(Drop::kBadSource);
  } else if (expected != nullptr && expected->index != input.index) {
    drops_.count(Drop::kWrongInterface);
    wrong_ = Sighting{key, input.index, now};
  }
  RouteActions routes;
  update_route(key, named_sources(group).contains(source), input.index, now, routes);
  routes_.touch(key, now);
  const Route* const route = routes_.find(key);
  if (route != nullptr && routes.before.empty() && routes.after.empty()) {
    // It was told already; the packet came before it took effect, or the kernel lost it.
    routes.after.push_back(SetRoute{id_, key, route->is.input, route->is.outputs});
  }
  if (route != nullptr && route->negative() && expected != nullptr && expected->index == input.index) {
    count_unforwarded(key);
  }
  std::ranges::move(routes.before, std::back_inserter(actions));
  std::ranges::move(routes.after, std::back_inserter(actions));
  tell_evictions(now, actions);
}

bool Instance::named_by_tunnels(const RouteKey& key) const {
  const auto at = groups_.find(key.group);
  return at != groups_.end() && std::ranges::any_of(at->second.merge.listeners(), [&](const auto& listener) {
           return listener.first && is_tunnel(*listener.first) &&
                  listener.second.mode == FilterMode::kInclude && listener.second.admits(key.source);
         });
}

void Instance::count_unforwarded(const RouteKey& key) {
  const auto at = groups_.find(key.group);
  if (at == groups_.end() || !at->second.merge.merged().admits(key.source)) {
    drops_.count(Drop::kNoListener);
    return;
  }
  for (const auto& [listener, filter] : at->second.merge.listeners()) {
    if (!listener || is_tunnel(*listener) || !filter.admits(key.source)) {
      continue;
    }
    const Member* const member = members_.find(std::get<InterfaceIndex>(*listener));
    if (member != nullptr && !member->querier[static_cast<std::size_t>(key.group.family())]) {
      drops_.count(Drop::kNotQuerier);
      return;
    }
  }
}

void Instance::tell_evictions(Time now, Actions& actions) {
  const std::uint64_t evicted = routes_.evicted();
  if (evicted == evictions_told_) {
    return;
  }
  drops_.count(Drop::kRouteLimit, evicted - evictions_told_);
  evictions_told_ = evicted;
  if (!limit_told_ || now - *limit_told_ >= std::chrono::hours(1)) {
    limit_told_ = now;
    actions.push_back(
        Alarm{AlarmCode::kRouteLimit, "Packets of more streams arrive than the limit of routes allows (" +
                                          std::to_string(settings_.limits.learned) + " with listeners, " +
                                          std::to_string(settings_.limits.negative) +
                                          " without); the oldest ones make room. Somebody may be scanning."});
  }
}

void Instance::on_wrong_interface(Member& input, const IpAddress& source, const IpAddress& group, Time now,
                                  Actions& actions) {
  drops_.count(Drop::kWrongInterface);
  wrong_ = Sighting{{group, source}, input.index, now};
  const Route* const route = routes_.find({group, source});
  const Member* const expected = input_of(group, source);
  // The route is put right where it was wrong; a packet never decides where packets come from.
  if (route != nullptr && expected != nullptr && expected->index != route->is.input) {
    refresh({group}, now, actions);
  }
}

}  // namespace hearthcast::proxy
