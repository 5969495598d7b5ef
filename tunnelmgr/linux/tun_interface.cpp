#include "tunnelmgr/linux/tun_interface.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <memory>

#include "tunnelmgr/linux/netlink_error.hpp"

namespace hearthcast::linux {
namespace {

// Before those that the kernel gives every interface by itself (256).
constexpr std::uint32_t kMetric = 64;

struct Release {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
  void operator()(nl_addr* address) const { nl_addr_put(address); }
  void operator()(rtnl_link* link) const { rtnl_link_put(link); }
  void operator()(rtnl_addr* address) const { rtnl_addr_put(address); }
  void operator()(rtnl_route* route) const { rtnl_route_put(route); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

Owned<nl_sock> connect() {
  Owned<nl_sock> socket(nl_socket_alloc());
  return socket && nl_connect(socket.get(), NETLINK_ROUTE) == 0 ? std::move(socket) : nullptr;
}

Owned<nl_addr> to_netlink(const IpAddress& address, unsigned length) {
  Owned<nl_addr> out(
      nl_addr_build(address.is_ip4() ? AF_INET : AF_INET6, address.bytes().data(), address.bytes().size()));
  if (out) {
    nl_addr_set_prefixlen(out.get(), static_cast<int>(length));
  }
  return out;
}

Result<void, KernelError> outcome(int error) {
  if (error < 0) {
    return from_netlink(error);
  }
  return boost::system::in_place_value;
}

// Its index, by whatever name it has now.
Result<int, KernelError> index_of(int tun) {
  const auto name = name_of_tun(tun);
  if (!name) {
    return name.error();
  }
  const unsigned index = ::if_nametoindex(name->c_str());
  if (index == 0) {
    return KernelError{ENODEV};
  }
  return static_cast<int>(index);
}

Result<void, KernelError> change_link(int index, const std::function<void(rtnl_link*)>& set) {
  const auto socket = connect();
  const Owned<rtnl_link> which(rtnl_link_alloc());
  const Owned<rtnl_link> changes(rtnl_link_alloc());
  if (!socket || !which || !changes) {
    return KernelError{ENOMEM};
  }
  rtnl_link_set_ifindex(which.get(), index);
  set(changes.get());
  return outcome(rtnl_link_change(socket.get(), which.get(), changes.get(), 0));
}

bool in_range(const IpAddress& address, unsigned length) { return length <= (address.is_ip4() ? 32U : 128U); }

// Of unicast: an address brings a route to its prefix.
bool is_long_enough(const IpAddress& address, unsigned length) {
  return length >= (address.is_ip4() ? 16U : 64U);
}

bool is_allowed_address(const IpAddress& address, unsigned length) {
  return in_range(address, length) && is_long_enough(address, length) &&
         (address.is_private() || address.is_link_local());
}

bool is_allowed_route(const Prefix& to) {
  if (!in_range(to.address, to.length) || Prefix::of(to.address, to.length) != to) {
    return false;
  }
  if (to.address.is_multicast()) {
    const unsigned least = to.address.is_ip4() ? 8U : 16U;
    return to.length >= least && !to.address.is_link_scope_multicast();
  }
  return is_long_enough(to.address, to.length) && to.address.is_private();
}

Result<void, KernelError> change_address(int tun, const IpAddress& address, unsigned length, bool add) {
  const auto index = index_of(tun);
  if (!index) {
    return index.error();
  }
  if (!is_allowed_address(address, length)) {
    return KernelError{EINVAL};
  }
  const auto socket = connect();
  const auto local = to_netlink(address, length);
  const Owned<rtnl_addr> entry(rtnl_addr_alloc());
  if (!socket || !local || !entry) {
    return KernelError{ENOMEM};
  }
  rtnl_addr_set_ifindex(entry.get(), *index);
  rtnl_addr_set_local(entry.get(), local.get());
  rtnl_addr_set_prefixlen(entry.get(), static_cast<int>(length));
  rtnl_addr_set_flags(entry.get(), IFA_F_NODAD);
  return outcome(add ? rtnl_addr_add(socket.get(), entry.get(), NLM_F_REPLACE)
                     : rtnl_addr_delete(socket.get(), entry.get(), 0));
}

Result<void, KernelError> change_route(int tun, const Prefix& to, bool add) {
  const auto index = index_of(tun);
  if (!index) {
    return index.error();
  }
  if (!is_allowed_route(to)) {
    return KernelError{EINVAL};
  }
  const auto socket = connect();
  const auto destination = to_netlink(to.address, to.length);
  const Owned<rtnl_route> route(rtnl_route_alloc());
  rtnl_nexthop* const hop = rtnl_route_nh_alloc();
  if (!socket || !destination || !route || hop == nullptr) {
    return KernelError{ENOMEM};
  }
  const bool ip6_multicast = to.address.is_multicast() && to.address.is_ip6();
  rtnl_route_set_family(route.get(), static_cast<std::uint8_t>(to.address.is_ip4() ? AF_INET : AF_INET6));
  rtnl_route_set_dst(route.get(), destination.get());
  // The kernel's own multicast routes are in the local table, which is looked into first.
  rtnl_route_set_table(route.get(), ip6_multicast ? RT_TABLE_LOCAL : RT_TABLE_MAIN);
  rtnl_route_set_type(route.get(), ip6_multicast ? RTN_MULTICAST : RTN_UNICAST);
  rtnl_route_set_scope(route.get(), to.address.is_ip4() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
  rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
  rtnl_route_set_priority(route.get(), kMetric);
  rtnl_route_nh_set_ifindex(hop, *index);
  rtnl_route_add_nexthop(route.get(), hop);  // which owns it from now on
  const int error = add ? rtnl_route_add(socket.get(), route.get(), NLM_F_EXCL)
                        : rtnl_route_delete(socket.get(), route.get(), 0);
  return add && error == -NLE_EXIST ? outcome(0) : outcome(error);
}

}  // namespace

Result<OpenedTun, KernelError> open_tun(Fd node, unsigned mtu) {
  if (mtu < kLeastTunMtu || mtu > kMostTunMtu) {
    return KernelError{EINVAL};
  }
  if (!node) {
    node = Fd(::open(kTunNode, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  }
  ifreq request{};
  (std::string(kTunNames) + "%d").copy(request.ifr_name, sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  if (!node || ::ioctl(node.get(), TUNSETIFF, &request) != 0) {
    return KernelError{errno};
  }
  const auto index = index_of(node.get());
  if (!index) {
    return index.error();
  }
  // Two steps, since the kernel invents an address as soon as the link is up. A machine without IPv6 refuses
  // the first and needs it not.
  static_cast<void>(change_link(*index, [](rtnl_link* link) {
    rtnl_link_inet6_set_addr_gen_mode(link, rtnl_link_inet6_str2addrgenmode("none"));
  }));
  const auto up = change_link(*index, [mtu](rtnl_link* link) {
    rtnl_link_set_mtu(link, mtu);
    rtnl_link_set_flags(link, IFF_UP);
  });
  if (!up) {
    return up.error();
  }
  return OpenedTun{std::move(node), static_cast<unsigned>(*index)};
}

Result<std::string, KernelError> name_of_tun(int tun) {
  ifreq request{};
  if (::ioctl(tun, TUNGETIFF, &request) != 0 || (request.ifr_flags & IFF_TUN) == 0 ||
      !std::string_view(request.ifr_name).starts_with(kTunNames)) {
    return KernelError{EBADF};
  }
  return std::string(request.ifr_name);
}

Result<void, KernelError> add_tun_address(int tun, const IpAddress& address, unsigned length) {
  return change_address(tun, address, length, true);
}

Result<void, KernelError> remove_tun_address(int tun, const IpAddress& address, unsigned length) {
  return change_address(tun, address, length, false);
}

Result<void, KernelError> add_tun_route(int tun, const Prefix& to) { return change_route(tun, to, true); }

Result<void, KernelError> remove_tun_route(int tun, const Prefix& to) { return change_route(tun, to, false); }

}  // namespace hearthcast::linux
