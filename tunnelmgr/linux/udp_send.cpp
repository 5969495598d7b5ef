// The sending half of UdpSocket: single datagrams, UDP_SEGMENT batches and their fall-back.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>

#include "tunnelmgr/linux/socket_address.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::size_t kMaxSegments = 64;  // UDP_MAX_SEGMENTS of every kernel that has UDP_SEGMENT
constexpr std::size_t kMaxBatch = 65000;  // a super-packet with its headers must stay below 64 KiB
constexpr std::size_t kMaxMessages = 64;  // of one sendmmsg

// A run of equal datagrams and a last one that may be shorter.
struct Batch {
  Bytes slab;
  std::size_t stride;
  std::size_t count;
  std::size_t last_size;

  [[nodiscard]] Batch from(std::size_t first, std::size_t wanted) const {
    const bool to_end = first + wanted == count;
    return {slab.subspan(first * stride), stride, wanted, to_end ? last_size : stride};
  }
  [[nodiscard]] Bytes octets() const { return slab.first((count - 1) * stride + last_size); }
  [[nodiscard]] Bytes datagram(std::size_t index) const {
    return slab.subspan(index * stride, index + 1 == count ? last_size : stride);
  }
};

iovec vector_of(Bytes octets) { return {const_cast<std::uint8_t*>(octets.data()), octets.size()}; }

SendOutcome outcome_of(int error) {
  switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case EINTR:
      return SendOutcome::kDropped;
    case EMSGSIZE:
      return SendOutcome::kTooBig;
    default:
      return SendOutcome::kUnreachable;
  }
}

SendResult failed(int error, std::size_t sent) { return {outcome_of(error), sent, error}; }

// Where a datagram goes, and from which address of ours.
class Way {
 public:
  Way(const Endpoint& to, int socket_family, const std::optional<IpAddress>& from)
      : to_(to_socket_address(to, socket_family)) {
    if (!from) {
      return;
    }
    if (socket_family == AF_INET) {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst, from->bytes().data(), sizeof info.ipi_spec_dst);
      add(IPPROTO_IP, IP_PKTINFO, info);
    } else {
      in6_pktinfo info{};
      const SocketAddress mapped = to_socket_address({*from, 0}, AF_INET6);
      sockaddr_in6 name{};
      std::memcpy(&name, &mapped.storage, sizeof name);
      info.ipi6_addr = name.sin6_addr;
      add(IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
  }
  [[nodiscard]] bool possible() const { return to_.size != 0; }
  // IPv4 behind the mapped form of a dual-stack socket takes the IPv4 option.
  void mark(std::uint8_t traffic_class, bool ip4) {
    add(ip4 ? IPPROTO_IP : IPPROTO_IPV6, ip4 ? IP_TOS : IPV6_TCLASS, int{traffic_class});
  }
  void cut_into(std::size_t stride) { add(SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(stride)); }
  // The header of one message; valid as long as this and the vector are.
  [[nodiscard]] msghdr header(iovec& vector) {
    msghdr message{};
    message.msg_name = &to_.storage;
    message.msg_namelen = to_.size;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = used_ == 0 ? nullptr : control_.data();
    message.msg_controllen = used_;
    return message;
  }

 private:
  template <class T>
  void add(int level, int type, const T& value) {
    cmsghdr header{};
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(control_.data() + used_, &header, sizeof header);
    std::memcpy(control_.data() + used_ + CMSG_LEN(0), &value, sizeof value);
    used_ += CMSG_SPACE(sizeof value);
  }

  SocketAddress to_;
  static constexpr std::size_t kControl =
      CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(std::uint16_t));
  alignas(cmsghdr) std::array<std::uint8_t, kControl> control_{};
  std::size_t used_ = 0;
};

// Zero, or the errno.
int send_offloaded(int fd, Way way, const Batch& batch) {
  iovec vector = vector_of(batch.octets());
  way.cut_into(batch.stride);
  const msghdr message = way.header(vector);
  return ::sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? errno : 0;
}

SendResult send_one_by_one(int fd, Way& way, const Batch& batch) {
  std::array<iovec, kMaxMessages> vectors;
  std::array<mmsghdr, kMaxMessages> messages;
  std::size_t sent = 0;
  while (sent < batch.count) {
    const std::size_t now = std::min(batch.count - sent, kMaxMessages);
    for (std::size_t i = 0; i < now; ++i) {
      vectors[i] = vector_of(batch.datagram(sent + i));
      messages[i] = {};
      messages[i].msg_hdr = way.header(vectors[i]);
    }
    const int count = ::sendmmsg(fd, messages.data(), static_cast<unsigned>(now), MSG_DONTWAIT);
    if (count < 0) {  // sendmmsg reports an error only when it could not send even the first
      return failed(errno, sent);
    }
    sent += static_cast<std::size_t>(count);
  }
  return {SendOutcome::kSent, sent, 0};
}

// What the kernel says when an address is not (any more) ours to send from; EINVAL may mean other things too.
bool may_refuse_source(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH || error == ENODEV;
}

}  // namespace

template <class Attempt>
SendResult UdpSocket::from_addressed(const Endpoint& to, Attempt attempt) {
  const auto from = returns_ ? returns_->find(to, Clock::now()) : std::nullopt;
  Way way(to, family_, from);
  if (!way.possible()) {
    return {SendOutcome::kUnreachable, 0, EAFNOSUPPORT};
  }
  SendResult result = attempt(way);
  if (from && result.datagrams == 0 && may_refuse_source(result.error)) {
    returns_->forget(to);
    Way kernels(to, family_, std::nullopt);
    result = attempt(kernels);
  }
  return result;
}

SendResult UdpSocket::send(const Endpoint& to, Bytes payload) {
  return from_addressed(to, [&](Way& way) -> SendResult {
    iovec vector = vector_of(payload);
    const msghdr message = way.header(vector);
    if (::sendmsg(fd_.get(), &message, MSG_DONTWAIT) < 0) {
      return failed(errno, 0);
    }
    return {SendOutcome::kSent, 1, 0};
  });
}

SendResult UdpSocket::send_segments(const Endpoint& to, Bytes slab, std::size_t stride, std::size_t count,
                                    std::size_t last_size, std::uint8_t ecn) {
  assert(count == 0 ||
         (last_size > 0 && last_size <= stride && (count - 1) * stride + last_size <= slab.size()));
  const Batch all{slab, stride, count, last_size};
  const std::size_t step =
      std::clamp<std::size_t>(kMaxBatch / std::max<std::size_t>(stride, 1), 1, kMaxSegments);
  return from_addressed(to, [&](Way& way) -> SendResult {
    if (ecn != 0) {  // else the socket's own traffic class is right
      way.mark(static_cast<std::uint8_t>(dscp_ << 2 | ecn), to.address.is_ip4());
    }
    std::size_t sent = 0;
    // Offload pays from two datagrams on.
    while (offloads() && count - sent >= 2 && step >= 2) {
      const std::size_t now = std::min(step, count - sent);
      const int error = send_offloaded(fd_.get(), way, all.from(sent, now));
      if (error == EIO) {
        stop_offloading();
      } else if (error == EMSGSIZE || error == EINVAL) {
        break;  // larger than the path takes in one packet: singly they are fragmented, or each is refused
      } else if (error != 0) {
        return failed(error, sent);
      } else {
        sent += now;
      }
    }
    if (sent == count) {
      return {SendOutcome::kSent, sent, 0};
    }
    SendResult rest = send_one_by_one(fd_.get(), way, all.from(sent, count - sent));
    rest.datagrams += sent;
    return rest;
  });
}

}  // namespace hearthcast::linux
