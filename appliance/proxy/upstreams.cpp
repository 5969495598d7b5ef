#include "appliance/proxy/upstreams.hpp"

#include <vector>

namespace hearthcast::proxy {
namespace {

// Calls `take` with upstreams in order until it returns true: first among the usable ones, then among all.
template <class Take>
const Member* first_upstream(const Members& members, Take take) {
  for (const bool usable : {true, false}) {
    for (const Member& member : members.all()) {
      if (member.role == Role::kUpstream && (usable ? member.usable() : member.present()) && take(member)) {
        return &member;
      }
    }
  }
  return nullptr;
}

std::vector<const Member*> upstreams_of_any_source(const Members& members, const Policy& policy,
                                                   const IpAddress& group) {
  for (const bool usable : {true, false}) {
    std::vector<const Member*> found;
    for (const Member& member : members.all()) {
      if (member.role != Role::kUpstream || !(usable ? member.usable() : member.present())) {
        continue;
      }
      const Reach reach = policy.reach(member.name, group);
      if (reach != Reach::kNone) {
        found.push_back(&member);
      }
      if (reach == Reach::kAll) {
        break;  // no source is left for those behind it
      }
    }
    if (!found.empty()) {
      return found;
    }
  }
  return {};
}

}  // namespace

const Member* upstream_for(const Members& members, const Policy& policy, const IpAddress& group,
                           const std::optional<IpAddress>& source) {
  return first_upstream(members, [&](const Member& member) {
    return source ? policy.allows(member.name, group, *source)
                  : policy.reach(member.name, group) != Reach::kNone;
  });
}

std::map<InterfaceIndex, SourceFilter> split(const Members& members, const Policy& policy,
                                             const IpAddress& group, const SourceFilter& wanted) {
  std::map<InterfaceIndex, SourceFilter> parts;
  if (wanted.mode == FilterMode::kExclude) {
    for (const Member* const member : upstreams_of_any_source(members, policy, group)) {
      parts.emplace(member->index, wanted);
    }
    return parts;
  }
  for (const IpAddress& source : wanted.sources) {
    if (const Member* const member = upstream_for(members, policy, group, source)) {
      parts[member->index].sources.insert(source);
    }
  }
  return parts;
}

const Member* expected_input(const Members& members, const Policy& policy, const IpAddress& group,
                             const IpAddress& source) {
  if (!is_forwardable_source(source)) {
    return nullptr;
  }
  const Member* const near = members.on_link(source);
  if (near != nullptr && (near->role == Role::kDownstream || policy.allows(near->name, group, source))) {
    return near;
  }
  return upstream_for(members, policy, group, source);
}

}  // namespace hearthcast::proxy
