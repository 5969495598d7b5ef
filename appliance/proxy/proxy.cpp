#include "appliance/proxy/proxy.hpp"

#include <algorithm>

#include "appliance/proxy/instance.hpp"

namespace hearthcast::proxy {

Proxy::Proxy(Settings settings, Capabilities capabilities) : capabilities_(capabilities) {
  for (InstanceSettings& instance : settings.instances) {
    instances_.push_back(
        std::make_unique<Instance>(InstanceId{next_instance_++}, std::move(instance), capabilities_));
  }
}
Proxy::~Proxy() = default;
Proxy::Proxy(Proxy&&) noexcept = default;
Proxy& Proxy::operator=(Proxy&&) noexcept = default;

Proxy::Owned Proxy::owner_of(InterfaceIndex index) const {
  for (const auto& instance : instances_) {
    if (Member* const member = instance->member(index)) {
      return {instance.get(), member};
    }
  }
  return {};
}

Instance* Proxy::tunnels_owner() const {
  const auto at = std::ranges::find_if(instances_, [](const auto& i) { return i->serves_tunnels(); });
  return at == instances_.end() ? nullptr : at->get();
}

Actions Proxy::on_interfaces(std::span<const Interface> interfaces, Time now) {
  interfaces_.assign(interfaces.begin(), interfaces.end());
  Actions actions;
  for (const auto& instance : instances_) {
    instance->drop_vanished(interfaces_, now, actions);
  }
  for (const auto& instance : instances_) {
    instance->take_interfaces(interfaces_, now, actions);
  }
  return actions;
}

Actions Proxy::on_interface_refused(InterfaceIndex index, std::string why, Time now) {
  Actions actions;
  if (const Owned owned = owner_of(index); owned.instance != nullptr) {
    owned.instance->refuse(*owned.member, std::move(why), now, actions);
    owned.instance->take_interfaces(interfaces_, now, actions);  // one that waited for room has it now
  }
  return actions;
}

Actions Proxy::on_filter(const DownstreamId& downstream, const IpAddress& group, SourceFilter filter,
                         Time now) {
  Actions actions;
  if (is_tunnel(downstream)) {
    if (Instance* const instance = tunnels_owner()) {
      instance->set_filter(downstream, group, std::move(filter), now, actions);
    } else {
      auto& wishes = unserved_[std::get<PeerId>(downstream)];
      if (filter.wants_nothing()) {
        wishes.erase(group);
      } else {
        wishes.insert_or_assign(group, std::move(filter));
      }
      if (wishes.empty()) {
        unserved_.erase(std::get<PeerId>(downstream));
      }
    }
    return actions;
  }
  const Owned owned = owner_of(std::get<InterfaceIndex>(downstream));
  if (owned.instance != nullptr && owned.member->role == Role::kDownstream) {
    owned.instance->set_filter(downstream, group, std::move(filter), now, actions);
  } else if (!filter.wants_nothing()) {
    stray_.count(Drop::kUnknownDownstream);
  }
  return actions;
}

Actions Proxy::on_downstream_gone(const DownstreamId& downstream, Time now) {
  Actions actions;
  if (is_tunnel(downstream)) {
    unserved_.erase(std::get<PeerId>(downstream));
    if (Instance* const instance = tunnels_owner()) {
      instance->forget(downstream, now, actions);
    }
  } else if (const Owned owned = owner_of(std::get<InterfaceIndex>(downstream)); owned.instance != nullptr) {
    owned.instance->forget(downstream, now, actions);
  }
  return actions;
}

Actions Proxy::on_querier(InterfaceIndex index, Family family, bool self, std::optional<IpAddress> querier,
                          Time now) {
  Actions actions;
  const Owned owned = owner_of(index);
  if (owned.instance != nullptr && owned.member->role == Role::kDownstream) {
    owned.instance->set_querier(*owned.member, family, self, querier, now, actions);
  }
  return actions;
}

Actions Proxy::on_query(InterfaceIndex index, const QuerySeen& query, Time now) {
  Actions actions;
  const Owned owned = owner_of(index);
  if (owned.instance != nullptr && owned.member->role == Role::kUpstream) {
    owned.instance->on_query(*owned.member, query, now, actions);
  }
  return actions;
}

Actions Proxy::on_channels(std::vector<Channel> channels, Time now) {
  channels_ = std::move(channels);
  Actions actions;
  if (Instance* const instance = tunnels_owner()) {
    instance->choose(channels_, now, actions);
  }
  return actions;
}

Actions Proxy::on_data(InterfaceIndex input, const IpAddress& source, const IpAddress& group, Time now) {
  Actions actions;
  if (const Owned owned = owner_of(input); owned.instance != nullptr) {
    owned.instance->on_data(*owned.member, source, group, now, actions);
  } else {
    stray_.count(Drop::kUnknownInterface);
  }
  return actions;
}

Actions Proxy::on_wrong_interface(InterfaceIndex input, const IpAddress& source, const IpAddress& group,
                                  Time now) {
  Actions actions;
  if (const Owned owned = owner_of(input); owned.instance != nullptr) {
    owned.instance->on_wrong_interface(*owned.member, source, group, now, actions);
  } else {
    stray_.count(Drop::kUnknownInterface);
  }
  return actions;
}

void Proxy::on_traffic(InstanceId id, const RouteKey& key, const Traffic& total, Time now) {
  const auto at = std::ranges::find_if(instances_, [&](const auto& i) { return i->id() == id; });
  if (at != instances_.end()) {
    (*at)->on_traffic(key, total, now);
  }
}

void Proxy::on_flow(const IpAddress& group, const IpAddress& source, const Traffic& total, Time now) {
  if (Instance* const instance = tunnels_owner()) {
    instance->on_flow(group, source, total, now);
  }
}

Actions Proxy::on_deadline(Time now) {
  Actions actions;
  for (const auto& instance : instances_) {
    instance->on_deadline(now, actions);
  }
  return actions;
}

Time Proxy::next_deadline() const {
  Time next = kNever;
  for (const auto& instance : instances_) {
    next = std::min(next, instance->next_deadline());
  }
  return next;
}

Actions Proxy::reload(Settings settings, Time now) {
  Actions actions;
  const Instance* const owner_before = tunnels_owner();
  std::map<PeerId, std::map<IpAddress, SourceFilter>> wishes =
      owner_before != nullptr ? owner_before->tunnel_wishes() : std::move(unserved_);
  unserved_.clear();

  std::vector<std::unique_ptr<Instance>> before = std::move(instances_);
  instances_.clear();
  for (InstanceSettings& wanted : settings.instances) {
    const auto same =
        std::ranges::find_if(before, [&](const auto& i) { return i && i->name() == wanted.name; });
    if (same != before.end()) {
      instances_.push_back(std::move(*same));
    } else {
      instances_.push_back(std::make_unique<Instance>(InstanceId{next_instance_++}, wanted, capabilities_));
    }
  }
  // What goes makes room for what comes: an interface may move from one instance to another.
  for (const auto& gone : before) {
    if (gone) {
      gone->close(actions);
      actions.push_back(RemoveInstance{gone->id()});
    }
  }
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    const bool served = instances_[i]->serves_tunnels();
    instances_[i]->reconfigure(std::move(settings.instances[i]), now, actions);
    if (served && !instances_[i]->serves_tunnels()) {
      for (const auto& [peer, groups] : wishes) {
        instances_[i]->forget(peer, now, actions);
      }
    }
  }
  for (const auto& instance : instances_) {
    instance->take_interfaces(interfaces_, now, actions);
  }
  Instance* const owner = tunnels_owner();
  if (owner == nullptr) {
    unserved_ = std::move(wishes);
  } else if (owner != owner_before) {
    owner->choose(channels_, now, actions);
    for (auto& [peer, groups] : wishes) {
      for (auto& [group, filter] : groups) {
        owner->set_filter(peer, group, std::move(filter), now, actions);
      }
    }
  }
  return actions;
}

Actions Proxy::close(Time /*now*/) {
  Actions actions;
  for (const auto& instance : instances_) {
    instance->close(actions);
  }
  unserved_.clear();
  return actions;
}

std::optional<InterfaceIndex> Proxy::upstream_for(const IpAddress& group,
                                                  const std::optional<IpAddress>& source) const {
  const Instance* const instance = tunnels_owner();
  return instance == nullptr ? std::nullopt : instance->upstream_of(group, source);
}

Status Proxy::status(Time now) const {
  Status status;
  for (const auto& instance : instances_) {
    status.instances.push_back(instance->status(now));
  }
  status.stray = stray_;
  return status;
}

}  // namespace hearthcast::proxy
