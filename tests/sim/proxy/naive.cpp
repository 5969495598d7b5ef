#include "tests/sim/proxy/naive.hpp"

#include <algorithm>

namespace hearthcast::proxy {
namespace {

bool bad_source(const IpAddress& s) {
  return s.is_unspecified() || s.is_loopback() || s.is_multicast() || s.is_link_local();
}

void add(SourceFilter& to, const SourceFilter& part) {
  const std::vector<SourceFilter> both{to, part};
  to = merge(both);
}

}  // namespace

bool concerns(const StaticRoute& route, const RouteKey& key) {
  return route.group.contains(key.group) && (!route.source || route.source->contains(key.source));
}

const Interface* Naive::find(const std::string& name) const {
  const auto at = std::ranges::find(interfaces, name, &Interface::name);
  return at == interfaces.end() ? nullptr : &*at;
}

std::string Naive::name_of(InterfaceIndex index) const {
  const auto at = std::ranges::find(interfaces, index, &Interface::index);
  return at == interfaces.end() ? "" : at->name;
}

bool Naive::usable(const std::string& name) const {
  const Interface* const one = find(name);
  return one != nullptr && one->up && !looped.contains(name);
}

bool Naive::stopped(const std::string& name, const IpAddress& group) const {
  for (const Boundary& b : settings.boundaries) {
    if (b.interface == name) {
      for (const Prefix& p : b.groups) {
        if (p.contains(group)) {
          return true;
        }
      }
      if (b.scope && group.is_ip6() && static_cast<unsigned>(group.bytes()[1] % 16) <= *b.scope) {
        return true;
      }
    }
  }
  return false;
}

bool Naive::allows(const std::string& name, const IpAddress& group, const IpAddress& source) const {
  if (stopped(name, group)) {
    return false;
  }
  for (const Rule& r : settings.rules) {
    if ((r.interface.empty() || r.interface == name) && (!r.group || r.group->contains(group)) &&
        (!r.source || r.source->contains(source))) {
      return r.verdict == Verdict::kAllow;
    }
  }
  return settings.otherwise == Verdict::kAllow;
}

std::size_t Naive::allowed_sources(const std::string& name, const IpAddress& group) const {
  return static_cast<std::size_t>(std::ranges::count_if(sources, [&](const IpAddress& s) {
    return s.family() == group.family() && !bad_source(s) && allows(name, group, s);
  }));
}

std::size_t Naive::family_sources(Family family) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      sources, [&](const IpAddress& s) { return s.family() == family && !bad_source(s); }));
}

SourceFilter Naive::effective(const DownstreamId& who, const IpAddress& group, SourceFilter wished) const {
  std::string name(kTunnels);
  if (!is_tunnel(who)) {
    name = name_of(std::get<InterfaceIndex>(who));
    if (!usable(name) || (wished.mode == FilterMode::kExclude && any_contains(settings.ssm_ranges, group))) {
      return {};
    }
  } else if (settings.tunnels == TunnelPolicy::kNone) {
    return {};
  } else if (settings.tunnels == TunnelPolicy::kChosen) {
    SourceFilter chosen;
    bool from_any = false;
    for (const Channel& c : channels) {
      if (c.group == group) {
        from_any = from_any || !c.source;
        if (c.source && wished.admits(*c.source)) {
          chosen.sources.insert(*c.source);
        }
      }
    }
    if (!from_any) {
      wished = chosen;
    }
  }
  if (wished.mode == FilterMode::kExclude) {
    return allowed_sources(name, group) > 0 ? wished : SourceFilter{};
  }
  SourceFilter left;
  for (const IpAddress& source : wished.sources) {
    if (!bad_source(source) && allows(name, group, source)) {
      left.sources.insert(source);
    }
  }
  return left;
}

std::set<IpAddress> Naive::groups() const {
  std::set<IpAddress> all;
  for (const auto& [who, filters] : wishes) {
    for (const auto& [group, filter] : filters) {
      all.insert(group);
    }
  }
  for (const StaticJoin& join : settings.joins) {
    for (const IpAddress& group : addresses_of(join.group)) {
      all.insert(group);
    }
  }
  return all;
}

SourceFilter Naive::merged(const IpAddress& group) const {
  std::vector<SourceFilter> all;
  for (const auto& [who, filters] : wishes) {
    if (const auto at = filters.find(group); at != filters.end()) {
      all.push_back(effective(who, group, at->second));
    }
  }
  for (const StaticJoin& join : settings.joins) {
    if (join.upstream.empty() && join.group.contains(group)) {
      all.push_back(join.source ? SourceFilter{FilterMode::kInclude, {*join.source}}
                                : SourceFilter::any_source());
    }
  }
  return merge(all);
}

bool Naive::tunnels_name(const RouteKey& key) const {
  return std::ranges::any_of(wishes, [&](const auto& w) {
    const auto at = w.second.find(key.group);
    if (!is_tunnel(w.first) || at == w.second.end()) {
      return false;
    }
    const SourceFilter filter = effective(w.first, key.group, at->second);
    return filter.mode == FilterMode::kInclude && filter.admits(key.source);
  });
}

std::string Naive::upstream_for(const IpAddress& group, const IpAddress& source) const {
  for (const std::string& name : settings.upstreams) {
    if (usable(name) && allows(name, group, source)) {
      return name;
    }
  }
  for (const std::string& name : settings.upstreams) {
    if (find(name) != nullptr && allows(name, group, source)) {
      return name;
    }
  }
  return "";
}

Naive::Memberships Naive::memberships() const {
  Memberships all;
  for (const IpAddress& group : groups()) {
    const SourceFilter wanted = merged(group);
    if (wanted.mode == FilterMode::kInclude) {
      for (const IpAddress& source : wanted.sources) {
        if (const std::string name = upstream_for(group, source); !name.empty()) {
          all[{find(name)->index, group}].sources.insert(source);
        }
      }
    } else {
      bool found = false;
      for (const bool only_usable : {true, false}) {
        for (const std::string& name : settings.upstreams) {
          if (found && !only_usable) {
            break;
          }
          if (find(name) == nullptr || (only_usable && !usable(name)) || allowed_sources(name, group) == 0) {
            continue;
          }
          all[{find(name)->index, group}] = wanted;
          if (allowed_sources(name, group) == family_sources(group.family())) {
            found = true;
            break;
          }
        }
        found = found || std::ranges::any_of(all, [&](const auto& m) { return m.first.second == group; });
      }
    }
    for (const StaticJoin& join : settings.joins) {
      if (!join.upstream.empty() && join.group.contains(group) && find(join.upstream) != nullptr) {
        add(all[{find(join.upstream)->index, group}],
            join.source ? SourceFilter{FilterMode::kInclude, {*join.source}} : SourceFilter::any_source());
      }
    }
  }
  return all;
}

bool Naive::has_any_source_route(const IpAddress& group) const {
  return any_source_routes && std::ranges::any_of(settings.routes, [&](const StaticRoute& r) {
           return !r.source && r.group.is_single() && r.group.address == group;
         });
}

std::string Naive::input_of(const RouteKey& key) const {
  const bool any = key.source.is_unspecified();
  for (const StaticRoute& r : settings.routes) {
    if (concerns(r, key)) {
      if (find(r.from) != nullptr && (any || !bad_source(key.source))) {
        return r.from;
      }
      break;
    }
  }
  if (bad_source(key.source)) {
    return "";
  }
  std::string near;
  unsigned longest = 0;
  for (const auto* list : {&settings.upstreams, &settings.downstreams}) {
    for (const std::string& name : *list) {
      const Interface* const one = find(name);
      if (one == nullptr) {
        continue;
      }
      for (const InterfaceAddress& a : one->addresses) {
        if (!a.address.is_link_local() && a.prefix > longest &&
            Prefix::of(a.address, a.prefix).contains(key.source)) {
          longest = a.prefix;
          near = name;
        }
      }
    }
  }
  const bool below = std::ranges::count(settings.downstreams, near) > 0;
  if (!near.empty() && (below || allows(near, key.group, key.source))) {
    return near;
  }
  return upstream_for(key.group, key.source);
}

std::optional<NaiveRoute> Naive::route(const RouteKey& key) const {
  const bool any = key.source.is_unspecified();
  const std::string input = input_of(key);
  if (input.empty()) {
    return std::nullopt;
  }
  NaiveRoute wanted{find(input)->index};
  if (looped.contains(input) || (!any && !allows(input, key.group, key.source))) {
    return wanted;
  }
  std::set<std::string> outputs;
  for (const std::string& name : settings.downstreams) {
    const Interface* const one = find(name);
    if (one == nullptr || other_querier.contains({name, key.group.family()})) {
      continue;
    }
    const auto filters = wishes.find(one->index);
    const auto at = filters == wishes.end() ? decltype(filters->second.find(key.group)){}
                                            : filters->second.find(key.group);
    if (filters == wishes.end() || at == filters->second.end()) {
      continue;
    }
    const SourceFilter filter = effective(one->index, key.group, at->second);
    if (any ? filter.mode == FilterMode::kExclude &&
                  allowed_sources(name, key.group) == family_sources(key.group.family())
            : filter.admits(key.source) && allows(name, key.group, key.source)) {
      outputs.insert(name);
    }
  }
  for (const StaticRoute& r : settings.routes) {
    if (concerns(r, key) && r.from == input) {
      outputs.insert(r.to.begin(), r.to.end());
    }
  }
  if (settings.send_upstream && !any && std::ranges::count(settings.downstreams, input) > 0) {
    outputs.insert(upstream_for(key.group, key.source));
  }
  for (const std::string& name : outputs) {
    if (name != input && usable(name)) {
      const auto threshold = settings.thresholds.find(name);
      wanted.outputs.push_back(
          {find(name)->index, threshold == settings.thresholds.end() ? std::uint8_t{1} : threshold->second});
    }
  }
  std::ranges::sort(wanted.outputs);
  return wanted;
}

std::set<RouteKey> Naive::standing() const {
  std::set<RouteKey> keys;
  for (const StaticRoute& r : settings.routes) {
    if (r.group.is_single() && r.source && r.source->is_single()) {
      keys.insert({r.group.address, r.source->address});
    }
    if (r.group.is_single() && has_any_source_route(r.group.address)) {
      keys.insert({r.group.address, IpAddress::any(r.group.family())});
    }
  }
  for (const auto& [who, filters] : wishes) {
    if (is_tunnel(who)) {
      continue;
    }
    for (const auto& [group, wished] : filters) {
      const SourceFilter filter = effective(who, group, wished);
      if (filter.mode == FilterMode::kInclude || has_any_source_route(group)) {
        for (const IpAddress& source : filter.sources) {
          keys.insert({group, source});
        }
      }
    }
  }
  std::erase_if(keys, [&](const RouteKey& key) {
    const auto wanted = route(key);
    return !wanted || (wanted->outputs.empty() && !has_any_source_route(key.group));
  });
  return keys;
}

}  // namespace hearthcast::proxy
