#include "tunnelmgr/away/tun_routes.hpp"

#include <algorithm>
#include <array>

#include "tunnelmgr/away/tun_membership.hpp"

namespace hearthcast::away {

std::set<Prefix> tun_routes(const std::vector<tunnel::Channel>& channels) {
  std::set<Prefix> routes{*Prefix::parse("232.0.0.0/8")};
  // Flags (RFC 7371): transient; with it, from a unicast prefix, to which SSM belongs; with an embedded RP.
  for (const int flags : {0x10, 0x30, 0x70}) {
    for (const int scope : {0x4, 0x5, 0x8, 0xe}) {
      std::array<std::uint8_t, 16> octets{0xff, static_cast<std::uint8_t>(flags | scope)};
      routes.insert(Prefix::of(*IpAddress::from_bytes(octets), 16));
    }
  }
  const std::set<Prefix> ranges = routes;
  for (const auto& channel : channels) {
    const auto& group = channel.flow.group;
    const bool covered =
        std::any_of(ranges.begin(), ranges.end(), [&](const Prefix& range) { return range.contains(group); });
    if (!covered && !is_of_the_local_network(group)) {
      routes.insert(Prefix::only(group));
    }
  }
  return routes;
}

std::vector<HomeRoute> home_routes(const HomeHosts& hosts, const std::vector<linux::Interface>& own) {
  std::vector<HomeRoute> routes;
  for (const HomeHost& host : hosts) {
    HomeRoute& route = routes.emplace_back(HomeRoute{host, ""});
    for (const auto& interface : own) {
      for (const auto& entry : interface.addresses) {
        const Prefix network = Prefix::of(entry.address, entry.prefix);
        if (network.contains(host.hosts) || host.hosts.contains(network)) {
          route.obstacle = interface.name;
        }
      }
    }
  }
  return routes;
}

}  // namespace hearthcast::away
