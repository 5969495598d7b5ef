// How an instance follows the machine's interfaces, its settings and what is heard on its links.
#include <algorithm>

#include "appliance/proxy/instance.hpp"

namespace hearthcast::proxy {
namespace {

const Interface* find(std::span<const Interface> interfaces, const std::string& name) {
  const auto at = std::ranges::find(interfaces, name, &Interface::name);
  return at == interfaces.end() ? nullptr : &*at;
}

}  // namespace

void Instance::detach(Member& member) {
  if (member.role == Role::kDownstream) {
    erase_wishes(member.index);
  } else {
    for (auto& [group, state] : groups_) {
      state.told.erase(member.index);  // the kernel's memberships went with the interface
    }
  }
  Member blank{.name = member.name, .role = member.role, .threshold = member.threshold};
  member = std::move(blank);
}

void Instance::leave_all(Member& upstream, Actions& actions) {
  for (auto& [group, state] : groups_) {
    if (state.told.erase(upstream.index) != 0) {
      ++upstream_changes_;
      actions.push_back(SetUpstreamFilter{upstream.index, group, {}});
    }
  }
}

void Instance::drop_vanished(std::span<const Interface> interfaces, Time now, Actions& actions) {
  Actions removals;
  bool changed = false;
  for (Member& member : members_.all()) {
    const Interface* const listed = find(interfaces, member.name);
    if (member.index == InterfaceIndex{} || (listed != nullptr && listed->index == member.index)) {
      continue;
    }
    if (member.added) {
      removals.push_back(RemoveInterface{id_, member.index});
      changed = true;
    }
    detach(member);
  }
  if (changed) {
    refresh_all(now, actions);
  }
  std::ranges::move(removals, std::back_inserter(actions));
}

bool Instance::find_same_link(std::span<const Interface> interfaces, Actions& actions) {
  bool changed = false;
  for (Member& member : members_.all()) {
    const Interface* const below = find(interfaces, member.name);
    if (member.role != Role::kDownstream || below == nullptr) {
      continue;
    }
    const Interface* joined = nullptr;
    for (const Member& upstream : members_.all()) {
      const Interface* const above = find(interfaces, upstream.name);
      if (upstream.role == Role::kUpstream && above != nullptr && above->link == below->link &&
          above->link != InterfaceIndex{}) {
        joined = above;
      }
    }
    if ((joined != nullptr) == member.same_link) {
      continue;
    }
    member.same_link = joined != nullptr;
    changed = true;
    if (member.index != InterfaceIndex{}) {
      apply_all(member.index);
    }
    actions.push_back(
        joined != nullptr
            ? Alarm{AlarmCode::kLoop,
                    "Interfaces " + member.name + " and " + joined->name +
                        " are joined inside this machine (by a bridge or a MACVLAN, for example), so they "
                        "are one network. Nothing is forwarded to " +
                        member.name + " until that ends."}
            : Alarm{AlarmCode::kLoopEnded, "Interface " + member.name +
                                               " is no longer joined to the upstream; it is served again."});
  }
  return changed;
}

void Instance::take_interfaces(std::span<const Interface> interfaces, Time now, Actions& actions) {
  bool changed = find_same_link(interfaces, actions);
  Actions reports;
  auto taken = static_cast<std::size_t>(std::ranges::count(members_.all(), true, &Member::added));
  for (Member& member : members_.all()) {
    const Interface* const listed = find(interfaces, member.name);
    if (listed == nullptr) {
      continue;
    }
    const bool was_usable = member.usable();
    const bool renumbered = member.addresses != listed->addresses;
    member.index = listed->index;
    member.addresses = listed->addresses;
    member.up = listed->up;
    if (!member.added && member.refused.empty()) {
      if (routing() && taken >= capabilities_.table_interfaces) {
        if (!member.no_room) {
          member.no_room = true;
          actions.push_back(Alarm{AlarmCode::kTableFull, "Interface " + member.name +
                                                             " is left out of multicast instance " + name() +
                                                             ": a kernel table holds " +
                                                             std::to_string(capabilities_.table_interfaces) +
                                                             " interfaces. Move some to another instance."});
        }
        continue;
      }
      member.added = true;
      changed = true;
      member.no_room = false;
      ++taken;
      actions.push_back(AddInterface{id_, member.index, member.name, member.role, routing()});
    }
    if (member.usable() == was_usable && !renumbered) {
      continue;
    }
    changed = true;
    if (member.role == Role::kDownstream) {
      apply_all(member.index);
    } else if (member.usable() && member.watch.joined()) {
      // The link came back, or the provider knows us by another address now.
      member.watch.on_reported(now);
      reports.push_back(ReportAgain{member.index});
    }
  }
  if (changed) {
    refresh_all(now, actions);
  }
  std::ranges::move(reports, std::back_inserter(actions));
}

void Instance::refuse(Member& member, std::string why, Time now, Actions& actions) {
  const InterfaceIndex index = member.index;
  actions.push_back(Alarm{AlarmCode::kInterfaceRefused,
                          "Interface " + member.name + " cannot be used for multicast routing: " + why});
  leave_all(member, actions);
  detach(member);
  member.index = index;
  member.refused = std::move(why);
  refresh_all(now, actions);
  actions.push_back(RemoveInterface{id_, index});
}

void Instance::reconfigure(InstanceSettings settings, Time now, Actions& actions) {
  if (settings == settings_) {
    return;
  }
  const bool was_routing = routing();
  settings_ = std::move(settings);
  Policy policy(settings_);
  policy.choose_like(policy_);
  policy_ = std::move(policy);
  static_routes_ = StaticRoutes(settings_.routes);

  Members members(settings_);
  Actions removals;
  for (Member& old : members_.all()) {
    const auto same = std::ranges::find_if(
        members.all(), [&](const Member& m) { return m.name == old.name && m.role == old.role; });
    if (same != members.all().end()) {
      const std::uint8_t threshold = same->threshold;
      *same = std::move(old);
      same->threshold = threshold;
      continue;
    }
    if (old.added) {
      removals.push_back(RemoveInterface{id_, old.index});
    }
    leave_all(old, actions);
    detach(old);
  }
  members_ = std::move(members);

  RouteActions routes;
  routes_.set_limits(settings_.limits, routes);
  if (was_routing != routing()) {
    for (const Member& member : members_.all()) {
      if (member.added) {
        actions.push_back(AddInterface{id_, member.index, member.name, member.role, routing()});
      }
    }
  }
  if (!routing()) {
    while (!routes_.all().empty()) {
      const RouteKey key = routes_.all().begin()->first;
      routes_.remove(key, routes);
    }
  }
  set_static_joins();
  for (auto& [group, state] : groups_) {
    for (const auto& [downstream, wished] : state.wished) {
      apply(downstream, group, state);
    }
  }
  refresh_all(now, actions);
  std::ranges::move(routes.after, std::back_inserter(actions));
  std::ranges::move(removals, std::back_inserter(actions));
}

void Instance::set_querier(Member& downstream, Family family, bool self, std::optional<IpAddress> querier,
                           Time now, Actions& actions) {
  const auto side = static_cast<std::size_t>(family);
  const bool was_self = downstream.querier[side];
  const bool was_alone = !downstream.other_querier[side];
  downstream.querier[side] = self;
  downstream.other_querier[side] = self ? std::nullopt : querier;
  if (was_alone && downstream.other_querier[side]) {
    tell_other_querier(downstream, family, now, actions);
  }
  if (self == was_self) {
    return;
  }
  const auto groups = groups_of_.find(downstream.index);
  if (groups == groups_of_.end()) {
    return;
  }
  std::set<IpAddress> affected = groups->second;
  std::erase_if(affected, [&](const IpAddress& group) { return group.family() != family; });
  refresh(affected, now, actions);
}

void Instance::tell_other_querier(const Member& downstream, Family family, Time now, Actions& actions) const {
  const std::string other = downstream.other_querier[static_cast<std::size_t>(family)]->to_string();
  actions.push_back(Alarm{AlarmCode::kOtherQuerier, "Another router (" + other + ") is " +
                                                        (family == Family::kIp4 ? "IGMP" : "MLD") +
                                                        " querier on " + downstream.name +
                                                        ". It forwards there now, this box does not."});
  for (const Member& member : members_.all()) {
    if (member.role == Role::kUpstream && same_router(member, downstream, family, now)) {
      actions.push_back(Alarm{AlarmCode::kSameRouter, "The querier " + other + " is heard on " + member.name +
                                                          " and on " + downstream.name +
                                                          ". Are the two one network?"});
    }
  }
}

bool Instance::same_router(const Member& upstream, const Member& downstream, Family family, Time now) const {
  const QuerierStatus above = upstream.watch.status(family, now);
  const auto& below = downstream.other_querier[static_cast<std::size_t>(family)];
  return below && !below->is_unspecified() && above.address == below;
}

void Instance::on_query(Member& upstream, const QuerySeen& query, Time now, Actions& actions) {
  shut_off_looped(query.source, upstream, now, actions);
  const bool own = std::ranges::any_of(upstream.addresses,
                                       [&](const InterfaceAddress& a) { return a.address == query.source; });
  for (const Member& member : members_.all()) {
    if (member.looped && std::ranges::find(member.addresses, query.source, &InterfaceAddress::address) !=
                             member.addresses.end()) {
      return;  // it says nothing about the provider
    }
  }
  if (own) {
    return;
  }
  if (upstream.watch.on_query(query, now)) {
    actions.push_back(Alarm{AlarmCode::kOlderQuerier,
                            "The provider's querier " + query.source.to_string() + " on " + upstream.name +
                                " speaks " + (query.source.is_ip4() ? "IGMPv" : "MLDv") +
                                std::to_string(query.version) +
                                ": it cannot be told sources, so whole groups are asked for there."});
  }
}

void Instance::shut_off_looped(const IpAddress& address, const Member& upstream, Time now, Actions& actions) {
  for (Member& member : members_.all()) {
    if (member.role != Role::kDownstream ||
        std::ranges::find(member.addresses, address, &InterfaceAddress::address) == member.addresses.end()) {
      continue;
    }
    member.looped_until = now + settings_.loop_lifetime;
    if (member.looped) {
      continue;
    }
    member.looped = true;
    actions.push_back(Alarm{AlarmCode::kLoop,
                            "A query that this box sent on " + member.name + " came in on " + upstream.name +
                                ": the two are one network. Nothing is forwarded to " + member.name +
                                " until that ends. Take the cable or bridge between "
                                "them away."});
    apply_all(member.index);
    refresh_all(now, actions);
  }
}

}  // namespace hearthcast::proxy
