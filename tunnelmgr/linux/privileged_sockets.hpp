// The sockets that need privilege to be opened and none to be used: hearthcast-netd opens them for its
// client.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

// For LinkSocket: hears IGMP and MLD of that interface, nothing else, from its first packet on; the filter is
// locked, so that whoever gets the socket cannot hear more. Needs CAP_NET_RAW; a large receive buffer
// CAP_NET_ADMIN. ENODEV: no such interface.
[[nodiscard]] Result<Fd, KernelError> open_link_socket(unsigned interface_index);

// For MulticastRouting: the one socket that rules that table, told of packets without route and on wrong
// interfaces and of nothing else. Needs CAP_NET_RAW and CAP_NET_ADMIN. EADDRINUSE: another has the table.
[[nodiscard]] Result<Fd, KernelError> open_multicast_routing_socket(Family family, std::uint32_t table);

// For RawIpSocket: sends and hears packets of one tunnel protocol, 6in4 (41, IPv4 only) or GRE (47); others
// are EPROTONOSUPPORT. Who holds it can send packets of that kind in any name of this machine. Needs
// CAP_NET_RAW.
[[nodiscard]] Result<Fd, KernelError> open_raw_ip_socket(Family family, std::uint32_t protocol);

}  // namespace hearthcast::linux
