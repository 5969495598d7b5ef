// Which groups a program on the laptop finds on the TUN interface when it names none: pure.
#pragma once

#include <set>
#include <vector>

#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"

namespace hearthcast::away {

// What a provider's channels use and a laptop's own network does not: source-specific groups, and the
// transient IPv6 groups of admin, site, organisation and global scope; and each group of the channel list,
// but for those by which machines of one network find each other. Link scope, and with it mDNS, stays where
// it is.
[[nodiscard]] std::set<Prefix> tun_routes(const std::vector<tunnel::Channel>& channels);

}  // namespace hearthcast::away
