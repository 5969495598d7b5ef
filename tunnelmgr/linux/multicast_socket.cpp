#include "tunnelmgr/linux/multicast_socket.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/socket_address.hpp"
#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::linux {
namespace {

// Not in every libc's headers; values from the kernel's user API.
constexpr int kIpMulticastAll = 49;
constexpr int kIp6MulticastAll = 29;

bool set_membership(int fd, const MulticastOptions& options, bool member) {
  const bool ip6 = options.flow.group.is_ip6();
  const int family = ip6 ? AF_INET6 : AF_INET;
  const int level = ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const SocketAddress group = to_socket_address({options.flow.group, 0}, family);
  if (options.flow.source) {
    group_source_req request{};
    request.gsr_interface = options.interface_index;
    request.gsr_group = group.storage;
    request.gsr_source = to_socket_address({*options.flow.source, 0}, family).storage;
    return ::setsockopt(fd, level, member ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP, &request,
                        sizeof request) == 0;
  }
  group_req request{};
  request.gr_interface = options.interface_index;
  request.gr_group = group.storage;
  return ::setsockopt(fd, level, member ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &request, sizeof request) ==
         0;
}

Failure join_failure(const MulticastOptions& options, int error) {
  Failure failure = kernel_failure(
      "joining " + options.flow.to_string() + " on interface " + std::to_string(options.interface_index),
      error);
  if (error == ENOBUFS) {
    failure.text += "; raise net.ipv4.igmp_max_memberships and net.ipv4.igmp_max_msf";
  } else if (error == ENODEV) {
    failure.text += "; this interface is gone or cannot do multicast";
  }
  return failure;
}

void ask_for_details(int fd, bool ip6) {
  set_option(fd, IPPROTO_IP, kIpMulticastAll, 0);
  if (ip6) {
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_option(fd, IPPROTO_IPV6, kIp6MulticastAll, 0);
    set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  } else {
    set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
    set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
  }
  set_option(fd, SOL_UDP, UDP_GRO, 1);
  set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
}

}  // namespace

Result<MulticastSocket, Failure> MulticastSocket::join(const MulticastOptions& options) {
  const FlowKey& flow = options.flow;
  if (!flow.group.is_multicast() || options.interface_index == 0 ||
      (flow.source && flow.source->family() != flow.group.family())) {
    return Failure{"cannot join " + flow.to_string() +
                   ": it needs a multicast group, a source of the same family, "
                   "and an interface"};
  }
  const bool ip6 = flow.group.is_ip6();
  Fd fd(::socket(ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return kernel_failure("opening a multicast socket", errno);
  }
  ask_for_details(fd.get(), ip6);
  if (options.timestamps) {
    set_option(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
  }
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);  // a player on the box itself may watch, too
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, static_cast<int>(options.receive_buffer));
  std::array<char, IF_NAMESIZE> name{};
  if (::if_indextoname(options.interface_index, name.data()) == nullptr) {
    return join_failure(options, ENODEV);
  }
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, name.data(),
                   static_cast<socklen_t>(std::strlen(name.data()))) != 0) {
    return kernel_failure(std::string("binding to interface ") + name.data(), errno);
  }
  if (!set_membership(fd.get(), options, true)) {
    return join_failure(options, errno);
  }
  const SocketAddress here =
      to_socket_address({flow.group, flow.port}, ip6 ? AF_INET6 : AF_INET, options.interface_index);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here.storage), here.size) != 0) {
    return kernel_failure("binding to " + Endpoint{flow.group, flow.port}.to_string(), errno);
  }
  return MulticastSocket(std::move(fd), options);
}

std::size_t MulticastSocket::receive_buffer() const {
  return static_cast<std::size_t>(get_option(fd_.get(), SOL_SOCKET, SO_RCVBUF).value_or(0));
}

Result<void, Failure> MulticastSocket::rejoin() {
  set_membership(fd_.get(), options_, false);  // fails when the kernel forgot it with the interface: as good
  if (!set_membership(fd_.get(), options_, true)) {
    return join_failure(options_, errno);
  }
  return boost::system::in_place_value;
}

}  // namespace hearthcast::linux
