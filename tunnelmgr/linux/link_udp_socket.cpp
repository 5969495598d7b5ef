#include "tunnelmgr/linux/link_udp_socket.hpp"

#include <net/if.h>
#include <netinet/in.h>
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

void set_up(int fd, bool ip6) {
  if (ip6) {
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, LinkUdpSocket::kHopLimit);
    set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, LinkUdpSocket::kHopLimit);
    set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    set_option(fd, IPPROTO_IPV6, kIp6MulticastAll, 0);
  } else {
    set_option(fd, IPPROTO_IP, IP_TTL, LinkUdpSocket::kHopLimit);
    set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, LinkUdpSocket::kHopLimit);
    set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
    set_option(fd, IPPROTO_IP, kIpMulticastAll, 0);
  }
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);  // one on each link
}

bool join(int fd, const LinkUdpOptions& options, int family) {
  group_req request{};
  request.gr_interface = options.interface_index;
  request.gr_group = to_socket_address({*options.group, 0}, family).storage;
  return ::setsockopt(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, MCAST_JOIN_GROUP, &request,
                      sizeof request) == 0;
}

}  // namespace

Result<LinkUdpSocket, Failure> LinkUdpSocket::open(const LinkUdpOptions& options) {
  const bool ip6 = options.family == Family::kIp6;
  const int family = ip6 ? AF_INET6 : AF_INET;
  const std::string what = "opening UDP port " + std::to_string(options.port) + " on interface " +
                           std::to_string(options.interface_index);
  Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return kernel_failure(what, errno);
  }
  set_up(fd.get(), ip6);
  std::array<char, IF_NAMESIZE> name{};
  if (::if_indextoname(options.interface_index, name.data()) == nullptr ||
      ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, name.data(),
                   static_cast<socklen_t>(std::strlen(name.data()))) != 0) {
    return kernel_failure(what, errno);
  }
  const SocketAddress here =
      to_socket_address({options.group.value_or(IpAddress::any(options.family)), options.port}, family,
                        options.interface_index);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here.storage), here.size) != 0) {
    Failure failure = kernel_failure(what, errno);
    failure.text += "; another program may answer there already";
    return failure;
  }
  if (options.group && !join(fd.get(), options, family)) {
    return kernel_failure(what + ", joining " + options.group->to_string(), errno);
  }
  return LinkUdpSocket(std::move(fd), options);
}

bool LinkUdpSocket::send(const Endpoint& to, Bytes payload) {
  const int family = options_.family == Family::kIp6 ? AF_INET6 : AF_INET;
  const SocketAddress address =
      to_socket_address(to, family, to.address.is_link_local() ? options_.interface_index : 0);
  return address.size != 0 &&
         ::sendto(fd_.get(), payload.data(), payload.size(), MSG_DONTWAIT,
                  reinterpret_cast<const sockaddr*>(&address.storage), address.size) >= 0;
}

}  // namespace hearthcast::linux
