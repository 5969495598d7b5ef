#include "tunnelmgr/linux/udp_socket.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/socket_address.hpp"
#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::linux {
namespace {

bool kernel_has_ip6() { return static_cast<bool>(Fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0))); }

Result<Fd, Failure> open_bound(const UdpOptions& options, int family) {
  Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return kernel_failure("opening a UDP socket", errno);
  }
  if (family == AF_INET6) {
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    set_option(fd.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER,
               options.probe_path_size ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_WANT);
    set_option(fd.get(), IPPROTO_IPV6, IPV6_TCLASS, options.dscp << 2);
    set_option(fd.get(), IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    set_option(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, options.answer_from_addressed ? 1 : 0);
  } else {
    set_option(fd.get(), IPPROTO_IP, IP_PKTINFO, options.answer_from_addressed ? 1 : 0);
  }
  // On a dual-stack socket these govern its IPv4 half. Who does not probe has what is too large for a path
  // fragmented (docs/decisions/009): in IPv4 by any router, in IPv6 by us once a router has said so.
  set_option(fd.get(), IPPROTO_IP, IP_MTU_DISCOVER,
             options.probe_path_size ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
  set_option(fd.get(), IPPROTO_IP, IP_TOS, options.dscp << 2);
  set_option(fd.get(), IPPROTO_IP, IP_RECVTOS, 1);
  set_option(fd.get(), SOL_UDP, UDP_GRO, 1);
  set_option(fd.get(), SOL_SOCKET, SO_RXQ_OVFL, 1);
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, static_cast<int>(options.receive_buffer));
  const Endpoint here{
      options.address.value_or(IpAddress::any(family == AF_INET6 ? Family::kIp6 : Family::kIp4)),
      options.port};
  const SocketAddress address = to_socket_address(here, family);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) {
    const int error = errno;
    Failure failure = kernel_failure("binding UDP " + here.to_string(), error);
    if (error == EADDRINUSE) {
      failure.text += "; another program has this port: stop it or choose another port in the settings";
    }
    return failure;
  }
  return fd;
}

}  // namespace

Result<UdpSocket, Failure> UdpSocket::open(const UdpOptions& options) {
  const bool ip6 = options.address ? options.address->is_ip6() : kernel_has_ip6();
  const int family = ip6 ? AF_INET6 : AF_INET;
  auto fd = open_bound(options, family);
  if (!fd) {
    return fd.error();
  }
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(fd->get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    return kernel_failure("asking for the UDP port", errno);
  }
  const bool offload = set_option(fd->get(), SOL_UDP, UDP_SEGMENT, 0);
  UdpSocket socket(std::move(*fd), family, to_endpoint(name).port, offload, options.dscp);
  if (options.answer_from_addressed) {
    socket.returns_ = std::make_unique<ReturnAddresses>();
  }
  return socket;
}

UdpSocket::UdpSocket(Fd fd, int family, std::uint16_t port, bool offload, std::uint8_t dscp)
    : fd_(std::move(fd)), family_(family), port_(port), offload_(offload), dscp_(dscp) {}

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : fd_(std::move(other.fd_)),
      family_(other.family_),
      port_(other.port_),
      offload_(other.offloads()),
      dscp_(other.dscp_),
      returns_(std::move(other.returns_)) {}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  fd_ = std::move(other.fd_);
  family_ = other.family_;
  port_ = other.port_;
  offload_.store(other.offloads(), std::memory_order_relaxed);
  dscp_ = other.dscp_;
  returns_ = std::move(other.returns_);
  return *this;
}

ReceiveBatch::Received UdpSocket::receive(ReceiveBatch& batch) {
  const auto received = batch.receive(fd_.get());
  if (returns_ && !received.datagrams.empty()) {
    const Time now = Clock::now();
    const Datagram* before = nullptr;  // of one super-packet: learned once
    for (const Datagram& datagram : received.datagrams) {
      const bool same = before != nullptr && before->source == datagram.source &&
                        before->destination == datagram.destination;
      if (datagram.destination && !same) {
        returns_->learn(datagram.source, *datagram.destination, now);
      }
      before = &datagram;
    }
  }
  return received;
}

void UdpSocket::on_network_change() {
  if (returns_) {
    returns_->forget_all();
  }
}

bool UdpSocket::reaches(Family family) const { return family == Family::kIp4 || family_ == AF_INET6; }

std::size_t UdpSocket::receive_buffer() const {
  return static_cast<std::size_t>(get_option(fd_.get(), SOL_SOCKET, SO_RCVBUF).value_or(0));
}

}  // namespace hearthcast::linux
