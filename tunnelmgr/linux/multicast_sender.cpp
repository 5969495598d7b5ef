#include "tunnelmgr/linux/multicast_sender.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/socket_address.hpp"
#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::size_t kMaxMessages = 64;

bool choose_interface(int fd, bool ip6, const SenderOptions& options) {
  if (ip6) {
    return set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(options.interface_index)) &&
           set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, options.hop_limit) &&
           set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, options.loop ? 1 : 0);
  }
  ip_mreqn request{};
  request.imr_ifindex = static_cast<int>(options.interface_index);
  return ::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) == 0 &&
         set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, options.hop_limit) &&
         set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, options.loop ? 1 : 0);
}

}  // namespace

Result<MulticastSender, Failure> MulticastSender::open(const SenderOptions& options) {
  const bool ip6 = options.group.address.is_ip6();
  const int family = ip6 ? AF_INET6 : AF_INET;
  const std::string what = "sending to " + options.group.to_string();
  if (!options.group.address.is_multicast() || options.interface_index == 0 || options.group.port == 0) {
    return Failure{what + ": it needs a multicast group, a port and an interface"};
  }
  Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return kernel_failure("opening a UDP socket", errno);
  }
  if (!choose_interface(fd.get(), ip6, options)) {
    return kernel_failure(what + " on interface " + std::to_string(options.interface_index), errno);
  }
  set_option(fd.get(), SOL_SOCKET, SO_SNDBUF, static_cast<int>(options.send_buffer));
  if (options.source) {
    const SocketAddress from = to_socket_address({*options.source, 0}, family, options.interface_index);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from.storage), from.size) != 0) {
      Failure failure = kernel_failure(what + " from " + options.source->to_string(), errno);
      failure.text += "; it has to be an address of that interface";
      return failure;
    }
  }
  const SocketAddress to = to_socket_address(options.group, family, options.interface_index);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0) {
    const int error = errno;
    Failure failure = kernel_failure(what, error);
    if (error == ENETUNREACH || error == EADDRNOTAVAIL) {
      failure.text +=
          "; the interface has no address of that family, or there is no route: "
          "ip route add multicast default dev INTERFACE";
    }
    return failure;
  }
  return MulticastSender(std::move(fd));
}

std::size_t MulticastSender::send(Bytes slab, std::size_t size, std::size_t count) {
  std::array<iovec, kMaxMessages> vectors;
  std::array<mmsghdr, kMaxMessages> messages;
  std::size_t sent = 0;
  while (sent < count) {
    const std::size_t now = std::min(count - sent, kMaxMessages);
    for (std::size_t i = 0; i < now; ++i) {
      vectors[i] = {const_cast<std::uint8_t*>(slab.data()) + (sent + i) * size, size};
      messages[i] = {};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int taken = ::sendmmsg(fd_.get(), messages.data(), static_cast<unsigned>(now), MSG_DONTWAIT);
    if (taken > 0) {
      sent += static_cast<std::size_t>(taken);
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      return sent;
    } else {
      last_error_ = errno;
      ++sent;
    }
  }
  return sent;
}

Endpoint MulticastSender::own_endpoint() const {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name), &size);
  return to_endpoint(name);
}

}  // namespace hearthcast::linux
