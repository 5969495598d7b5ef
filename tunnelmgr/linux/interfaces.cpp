#include "tunnelmgr/linux/interfaces.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>

#include "tunnelmgr/linux/default_route.hpp"
#include "tunnelmgr/linux/tun_interface.hpp"

namespace hearthcast::linux {
namespace {

struct CloseSocket {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
struct FreeCache {
  void operator()(nl_cache* cache) const { nl_cache_free(cache); }
};
using Socket = std::unique_ptr<nl_sock, CloseSocket>;
using Cache = std::unique_ptr<nl_cache, FreeCache>;

Failure netlink_failure(const std::string& operation, int error) {
  return Failure{operation + ": " + nl_geterror(error)};
}

Result<Socket, Failure> connect() {
  Socket socket(nl_socket_alloc());
  const int error = socket ? nl_connect(socket.get(), NETLINK_ROUTE) : -NLE_NOMEM;
  if (error < 0) {
    return netlink_failure("asking the kernel for its interfaces", error);
  }
  return socket;
}

template <class Object, class Visit>
void for_each(nl_cache* cache, Visit visit) {
  for (nl_object* object = nl_cache_get_first(cache); object != nullptr; object = nl_cache_get_next(object)) {
    visit(*reinterpret_cast<Object*>(object));  // libnl's own way of inheriting
  }
}

Interface describe(rtnl_link& link) {
  const unsigned flags = rtnl_link_get_flags(&link);
  Interface out;
  out.index = static_cast<unsigned>(rtnl_link_get_ifindex(&link));
  out.name = rtnl_link_get_name(&link);
  out.up = (flags & IFF_UP) != 0;
  out.running = (flags & IFF_RUNNING) != 0;
  out.loopback = (flags & IFF_LOOPBACK) != 0;
  out.multicast = (flags & IFF_MULTICAST) != 0;
  out.point_to_point = (flags & IFF_POINTOPOINT) != 0;
  out.mtu = rtnl_link_get_mtu(&link);
  const char* const kind = rtnl_link_get_type(&link);
  out.kind = kind != nullptr ? kind : "";
  out.master = static_cast<unsigned>(rtnl_link_get_master(&link));
  std::int32_t foreign_network = 0;
  if (rtnl_link_get_link_netnsid(&link, &foreign_network) < 0) {  // else the index means nothing here
    out.lower = static_cast<unsigned>(rtnl_link_get_link(&link));
  }
  nl_addr* const mac = rtnl_link_get_addr(&link);
  if (rtnl_link_get_arptype(&link) == ARPHRD_ETHER && mac != nullptr && nl_addr_get_len(mac) == 6) {
    const auto* const octets = static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(mac));
    std::copy(octets, octets + 6, out.mac.emplace().begin());
  }
  return out;
}

std::optional<IpAddress> address_of(nl_addr* address) {
  if (address == nullptr) {
    return std::nullopt;
  }
  return IpAddress::from_bytes(
      {static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(address)), nl_addr_get_len(address)});
}

std::optional<InterfaceAddress> describe(rtnl_addr& entry) {
  const auto address = address_of(rtnl_addr_get_local(&entry));
  if (!address) {
    return std::nullopt;
  }
  const unsigned flags = rtnl_addr_get_flags(&entry);
  return InterfaceAddress{
      *address, static_cast<unsigned>(rtnl_addr_get_prefixlen(&entry)), (flags & IFA_F_DEPRECATED) != 0,
      (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0 && (flags & IFA_F_OPTIMISTIC) == 0};
}

std::optional<IpAddress> lowest_usable(const std::vector<InterfaceAddress>& addresses,
                                       bool (*fits)(const IpAddress&)) {
  std::optional<IpAddress> lowest;
  for (const InterfaceAddress& one : addresses) {
    if (!one.tentative && fits(one.address) && (!lowest || one.address < *lowest)) {
      lowest = one.address;
    }
  }
  return lowest;
}

}  // namespace

std::optional<IpAddress> Interface::link_local() const {
  return lowest_usable(addresses, [](const IpAddress& a) { return a.is_ip6() && a.is_link_local(); });
}

std::optional<IpAddress> Interface::ip4() const {
  return lowest_usable(addresses, [](const IpAddress& a) { return a.is_ip4(); });
}

bool is_inside_tunnels(const Interface& one) { return one.kind == "tun" && one.name.starts_with(kTunNames); }

std::map<unsigned, unsigned> links_of(const std::vector<Interface>& all) {
  const auto part_of = [](const Interface& part, const Interface& whole) {
    const bool port = part.master == whole.index && whole.kind != "vrf";  // a VRF routes between its ports
    const bool same_wire = part.kind == "veth" ? whole.kind == "veth" : part.kind.starts_with("macv");
    return port || (same_wire && part.lower == whole.index);
  };
  std::map<unsigned, unsigned> links;
  for (const Interface& each : all) {
    links.emplace(each.index, each.index);
  }
  for (const Interface& part : all) {
    for (const Interface& whole : all) {
      const unsigned one = links[part.index];
      const unsigned other = links[whole.index];
      if (one == other || !part_of(part, whole)) {
        continue;
      }
      for (auto& [index, link] : links) {  // both links are one
        link = link == std::max(one, other) ? std::min(one, other) : link;
      }
    }
  }
  return links;
}

Result<std::vector<Interface>, Failure> list_interfaces() {
  const auto socket = connect();
  if (!socket) {
    return socket.error();
  }
  nl_cache* raw = nullptr;
  int error = rtnl_link_alloc_cache(socket->get(), AF_UNSPEC, &raw);
  const Cache links(error < 0 ? nullptr : raw);
  if (error >= 0) {
    error = rtnl_addr_alloc_cache(socket->get(), &raw);
  }
  const Cache addresses(error < 0 ? nullptr : raw);
  if (error < 0) {
    return netlink_failure("listing the interfaces", error);
  }
  std::map<unsigned, Interface> found;
  for_each<rtnl_link>(links.get(), [&](rtnl_link& link) {
    Interface one = describe(link);
    found.emplace(one.index, std::move(one));
  });
  for_each<rtnl_addr>(addresses.get(), [&](rtnl_addr& entry) {
    const auto at = found.find(static_cast<unsigned>(rtnl_addr_get_ifindex(&entry)));
    const auto address = describe(entry);
    if (at != found.end() && address) {
      at->second.addresses.push_back(*address);
    }
  });
  std::vector<Interface> all;
  all.reserve(found.size());
  for (auto& [index, one] : found) {
    all.push_back(std::move(one));
  }
  return all;
}

std::optional<DefaultRoute> default_route(Family family) {
  const auto socket = connect();
  nl_cache* raw = nullptr;
  if (!socket ||
      rtnl_route_alloc_cache(socket->get(), family == Family::kIp4 ? AF_INET : AF_INET6, 0, &raw) < 0) {
    return std::nullopt;
  }
  const Cache routes(raw);
  std::optional<DefaultRoute> best;
  std::uint32_t best_metric = 0;
  for_each<rtnl_route>(routes.get(), [&](rtnl_route& route) {
    nl_addr* const destination = rtnl_route_get_dst(&route);
    rtnl_nexthop* const hop = rtnl_route_nexthop_n(&route, 0);
    if (rtnl_route_get_table(&route) != RT_TABLE_MAIN || rtnl_route_get_type(&route) != RTN_UNICAST ||
        (destination != nullptr && nl_addr_get_prefixlen(destination) != 0) || hop == nullptr) {
      return;
    }
    const std::uint32_t metric = rtnl_route_get_priority(&route);
    if (!best || metric < best_metric) {
      best = DefaultRoute{static_cast<unsigned>(rtnl_route_nh_get_ifindex(hop)),
                          address_of(rtnl_route_nh_get_gateway(hop))};
      best_metric = metric;
    }
  });
  return best;
}

std::optional<unsigned> default_route_interface(Family family) {
  const auto route = default_route(family);
  return route ? std::optional(route->interface_index) : std::nullopt;
}

DefaultRoutes default_routes() {
  return {default_route_interface(Family::kIp4), default_route_interface(Family::kIp6)};
}

void InterfaceMonitor::Close::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<InterfaceMonitor, Failure> InterfaceMonitor::open() {
  InterfaceMonitor monitor;
  monitor.socket_.reset(nl_socket_alloc());
  nl_sock* const socket = monitor.socket_.get();
  if (socket == nullptr) {
    return netlink_failure("watching the interfaces", -NLE_NOMEM);
  }
  nl_socket_disable_seq_check(socket);
  int error = nl_connect(socket, NETLINK_ROUTE);
  if (error >= 0) {
    error = nl_socket_add_memberships(socket, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, 0);
  }
  if (error >= 0) {
    error = nl_socket_set_nonblocking(socket);
  }
  if (error < 0) {
    return netlink_failure("watching the interfaces", error);
  }
  return monitor;
}

int InterfaceMonitor::fd() const { return nl_socket_get_fd(socket_.get()); }

bool InterfaceMonitor::changed() {
  // What the messages say does not matter, so they are not parsed. An overflow (ENOBUFS) is a change, too.
  std::array<std::uint8_t, 8192> room;
  bool any = false;
  for (;;) {
    const ssize_t got = ::recv(fd(), room.data(), room.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return any;
    }
    if (got < 0 && errno != ENOBUFS && errno != EINTR) {
      return any;
    }
    any = true;
  }
}

}  // namespace hearthcast::linux
