#include "appliance/proxy/policy.hpp"

namespace hearthcast::proxy {
namespace {

std::optional<Drop> never_leaves_its_link(const IpAddress& group) {
  if (!group.is_multicast()) {
    return Drop::kNotMulticast;
  }
  return group.is_link_scope_multicast() ? std::optional(Drop::kLinkScope) : std::nullopt;
}

}  // namespace

Policy::Policy(const InstanceSettings& settings)
    : rules_(settings.rules, settings.otherwise),
      boundaries_(settings.boundaries),
      ssm_ranges_(settings.ssm_ranges),
      tunnels_(settings.tunnels) {}

void Policy::choose(std::span<const Channel> channels) {
  chosen_.clear();
  for (const Channel& channel : channels) {
    Chosen& chosen = chosen_[channel.group];
    if (channel.source) {
      chosen.sources.insert(*channel.source);
    } else {
      chosen.any_source = true;
    }
  }
}

Restricted Policy::for_link(std::string_view downstream, const IpAddress& group,
                            const SourceFilter& wanted) const {
  if (const auto drop = never_leaves_its_link(group)) {
    return {.dropped = drop};
  }
  // Such a wish says nothing about a group that can be had from named sources only (RFC 4604).
  if (wanted.mode == FilterMode::kExclude && any_contains(ssm_ranges_, group)) {
    return {.dropped = Drop::kSourceMissing};
  }
  return by_rules(downstream, group, wanted);
}

Restricted Policy::for_tunnel(const IpAddress& group, const SourceFilter& wanted) const {
  if (const auto drop = never_leaves_its_link(group)) {
    return {.dropped = drop};
  }
  if (tunnels_ == TunnelPolicy::kNone) {
    return {.dropped = Drop::kUnknownDownstream};
  }
  if (tunnels_ == TunnelPolicy::kAll) {
    return by_rules(kTunnels, group, wanted);
  }
  const auto chosen = chosen_.find(group);
  if (chosen == chosen_.end()) {
    return {.dropped = Drop::kNotChosen};
  }
  if (chosen->second.any_source) {
    return by_rules(kTunnels, group, wanted);
  }
  // The channel's source is asked for, even by those who left it open: players name groups without one.
  SourceFilter named;
  for (const IpAddress& source : chosen->second.sources) {
    if (wanted.admits(source)) {
      named.sources.insert(source);
    }
  }
  if (named.wants_nothing()) {
    return {.dropped = Drop::kNotChosen};
  }
  return by_rules(kTunnels, group, std::move(named));
}

Restricted Policy::by_rules(std::string_view interface, const IpAddress& group, SourceFilter wanted) const {
  if (boundaries_.stop(interface, group)) {
    return {.dropped = Drop::kBoundary};
  }
  if (wanted.mode == FilterMode::kExclude) {
    // Some sources are denied: the routes see to that, one by one.
    if (rules_.reach(interface, group) == Reach::kNone) {
      return {.dropped = Drop::kDeniedByRule};
    }
    return {.filter = std::move(wanted)};
  }
  Restricted left;
  for (const IpAddress& source : wanted.sources) {
    if (!is_forwardable_source(source)) {
      left.dropped = Drop::kBadSource;
    } else if (!rules_.allows(interface, group, source)) {
      left.dropped = Drop::kDeniedByRule;
    } else {
      left.filter.sources.insert(source);
    }
  }
  return left;
}

}  // namespace hearthcast::proxy
