#include "appliance/proxy/scope.hpp"

#include <algorithm>

namespace hearthcast::proxy {

std::optional<unsigned> scope_of(const IpAddress& group) {
  if (!group.is_ip6()) {
    return std::nullopt;
  }
  return group.bytes()[1] & 0x0FU;
}

bool is_forwardable_source(const IpAddress& source) {
  static const Prefix this_network = *Prefix::parse("0.0.0.0/8");
  static const Prefix broadcast = *Prefix::parse("255.255.255.255");
  return !source.is_unspecified() && !source.is_loopback() && !source.is_multicast() &&
         !source.is_link_local() && !this_network.contains(source) && !broadcast.contains(source);
}

bool Boundaries::stop(std::string_view interface, const IpAddress& group) const {
  const auto scope = scope_of(group);
  return std::ranges::any_of(boundaries_, [&](const Boundary& b) {
    return b.interface == interface &&
           (any_contains(b.groups, group) || (scope && b.scope && *scope <= *b.scope));
  });
}

}  // namespace hearthcast::proxy
