// Which groups a program on the laptop finds on the TUN interface when it names none: pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tunnelmgr/base/home_host.hpp"
#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"

namespace hearthcast::away {

// What a provider's channels use and a laptop's own network does not: source-specific groups, and the
// transient IPv6 groups of admin, site, organisation and global scope; and each group of the channel list,
// but for those by which machines of one network find each other. Link scope, and with it mDNS, stays where
// it is.
[[nodiscard]] std::set<Prefix> tun_routes(const std::vector<tunnel::Channel>& channels);

// What of the home network is reached through the tunnel.
struct HomeRoute {
  HomeHost host;
  std::string obstacle;  // the laptop's own interface whose network has addresses of it, too; empty: none
  friend bool operator==(const HomeRoute&, const HomeRoute&) = default;
};
// `own`: the laptop's interfaces, but for the TUN one. The network where it is goes before the one at home.
[[nodiscard]] std::vector<HomeRoute> home_routes(const HomeHosts& hosts,
                                                 const std::vector<linux::Interface>& own);

}  // namespace hearthcast::away
