// The sending half of UdpSocket: single datagrams, UDP_SEGMENT batches and their fall-back.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

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

// Zero, or the errno.
int send_offloaded(int fd, SocketAddress& to, const Batch& batch) {
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint16_t))> control{};
  iovec vector = vector_of(batch.octets());
  msghdr message{};
  message.msg_name = &to.storage;
  message.msg_namelen = to.size;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
  const auto stride = static_cast<std::uint16_t>(batch.stride);
  std::memcpy(CMSG_DATA(header), &stride, sizeof stride);
  return ::sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? errno : 0;
}

SendResult send_one_by_one(int fd, SocketAddress& to, const Batch& batch) {
  std::array<iovec, kMaxMessages> vectors;
  std::array<mmsghdr, kMaxMessages> messages;
  std::size_t sent = 0;
  while (sent < batch.count) {
    const std::size_t now = std::min(batch.count - sent, kMaxMessages);
    for (std::size_t i = 0; i < now; ++i) {
      vectors[i] = vector_of(batch.datagram(sent + i));
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &to.storage;
      messages[i].msg_hdr.msg_namelen = to.size;
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = ::sendmmsg(fd, messages.data(), static_cast<unsigned>(now), MSG_DONTWAIT);
    if (count < 0) {  // sendmmsg reports an error only when it could not send even the first
      return failed(errno, sent);
    }
    sent += static_cast<std::size_t>(count);
  }
  return {SendOutcome::kSent, sent, 0};
}

}  // namespace

SendResult UdpSocket::send(const Endpoint& to, Bytes payload) {
  const SocketAddress address = to_socket_address(to, family_);
  if (address.size == 0) {
    return {SendOutcome::kUnreachable, 0, EAFNOSUPPORT};
  }
  if (::sendto(fd_.get(), payload.data(), payload.size(), MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&address.storage), address.size) < 0) {
    return failed(errno, 0);
  }
  return {SendOutcome::kSent, 1, 0};
}

SendResult UdpSocket::send_segments(const Endpoint& to, Bytes slab, std::size_t stride, std::size_t count,
                                    std::size_t last_size) {
  assert(count == 0 ||
         (last_size > 0 && last_size <= stride && (count - 1) * stride + last_size <= slab.size()));
  SocketAddress address = to_socket_address(to, family_);
  if (address.size == 0) {
    return {SendOutcome::kUnreachable, 0, EAFNOSUPPORT};
  }
  const Batch all{slab, stride, count, last_size};
  const std::size_t step =
      std::clamp<std::size_t>(kMaxBatch / std::max<std::size_t>(stride, 1), 1, kMaxSegments);
  std::size_t sent = 0;
  // Offload pays from two datagrams on.
  while (offloads() && count - sent >= 2 && step >= 2) {
    const std::size_t now = std::min(step, count - sent);
    const int error = send_offloaded(fd_.get(), address, all.from(sent, now));
    if (error == EIO) {
      stop_offloading();
    } else if (error == EMSGSIZE || error == EINVAL) {
      break;  // larger than the path takes in one packet: only datagrams that go singly are fragmented
    } else if (error != 0) {
      return failed(error, sent);
    } else {
      sent += now;
    }
  }
  if (sent == count) {
    return {SendOutcome::kSent, sent, 0};
  }
  SendResult rest = send_one_by_one(fd_.get(), address, all.from(sent, count - sent));
  rest.datagrams += sent;
  return rest;
}

}  // namespace hearthcast::linux
