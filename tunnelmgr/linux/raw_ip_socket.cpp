#include "tunnelmgr/linux/raw_ip_socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "tunnelmgr/linux/socket_address.hpp"
#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::size_t kMaxMessages = 64;  // of one sendmmsg
constexpr int kReceiveBuffer = 1 << 20;   // octets; the kernel may give less

SendResult failed(int error, std::size_t sent) {
  const bool full = error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EINTR;
  const auto outcome =
      full ? SendOutcome::kDropped : (error == EMSGSIZE ? SendOutcome::kTooBig : SendOutcome::kUnreachable);
  return {outcome, sent, error};
}

}  // namespace

RawIpSocket::RawIpSocket(Fd fd, Family family) : fd_(std::move(fd)), family_(family) {
  // What is too large for a path is fragmented (docs/decisions/009): no kernel peer knows another way.
  if (family == Family::kIp4) {
    set_option(fd_.get(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  } else {
    set_option(fd_.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_WANT);
  }
  set_option(fd_.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
}

Bytes RawIpSocket::payload(const Datagram& datagram) const {
  if (family_ == Family::kIp6 || datagram.payload.empty()) {
    return datagram.payload;
  }
  const std::size_t header = std::size_t{4} * (datagram.payload[0] & 0x0F);
  return datagram.payload.subspan(std::min(header, datagram.payload.size()));
}

SendResult RawIpSocket::send_segments(const IpAddress& to, Bytes slab, std::size_t stride, std::size_t count,
                                      std::size_t last_size) {
  if (to.family() != family_) {
    return {SendOutcome::kUnreachable, 0, EAFNOSUPPORT};
  }
  SocketAddress address = to_socket_address({to, 0}, family_ == Family::kIp4 ? AF_INET : AF_INET6);
  std::array<iovec, kMaxMessages> vectors;
  std::array<mmsghdr, kMaxMessages> messages;
  std::size_t sent = 0;
  while (sent < count) {
    const std::size_t now = std::min(count - sent, kMaxMessages);
    for (std::size_t i = 0; i < now; ++i) {
      const Bytes packet = slab.subspan((sent + i) * stride, sent + i + 1 == count ? last_size : stride);
      vectors[i] = {const_cast<std::uint8_t*>(packet.data()), packet.size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &address.storage;
      messages[i].msg_hdr.msg_namelen = address.size;
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int done = ::sendmmsg(fd_.get(), messages.data(), static_cast<unsigned>(now), MSG_DONTWAIT);
    if (done < 0) {
      return failed(errno, sent);
    }
    sent += static_cast<std::size_t>(done);
  }
  return {SendOutcome::kSent, sent, 0};
}

}  // namespace hearthcast::linux
