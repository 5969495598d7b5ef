#include "appliance/app/own_addresses.hpp"

#include <algorithm>

#include "tunnelmgr/linux/interfaces.hpp"

namespace hearthcast::app {
namespace {

// Private IPv4, global IPv6, ULA, public IPv4.
int rank(const IpAddress& address) {
  if (address.is_ip4()) {
    return address.is_private() ? 0 : 3;
  }
  return address.is_private() ? 2 : 1;
}

}  // namespace

std::vector<Endpoint> own_addresses(const Endpoint& listening) {
  if (!listening.address.is_unspecified()) {
    return {listening};
  }
  std::vector<Endpoint> found;
  const auto interfaces = linux::list_interfaces();
  if (!interfaces) {
    return found;
  }
  for (const linux::Interface& interface : *interfaces) {
    if (linux::is_inside_tunnels(interface)) {
      continue;
    }
    for (const linux::InterfaceAddress& a : interface.addresses) {
      const bool usable = interface.running && !interface.loopback && !a.deprecated && !a.tentative &&
                          !a.address.is_link_local() && !a.address.is_loopback();
      if (usable && (a.address.is_ip4() || listening.address.is_ip6())) {
        found.push_back({a.address, listening.port});
      }
    }
  }
  std::ranges::stable_sort(found, {}, [](const Endpoint& e) { return rank(e.address); });
  return found;
}

}  // namespace hearthcast::app
