#include "tunnelmgr/linux/receive_batch.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "tunnelmgr/linux/socket_address.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::size_t kRoom = 65536;         // the largest datagram, and the largest super-packet
constexpr std::size_t kControl = 256;        // seven control messages, 200 octets in all, and slack
constexpr std::size_t kMaxPerMessage = 128;  // datagrams in one super-packet: the kernel's UDP_MAX_SEGMENTS

int read_int(const cmsghdr& header) {  // an int, or the single octet that IP_TOS brings
  int value = 0;
  if (header.cmsg_len == CMSG_LEN(1)) {
    std::uint8_t octet = 0;
    std::memcpy(&octet, CMSG_DATA(&header), 1);
    return octet;
  }
  std::memcpy(&value, CMSG_DATA(&header), sizeof value);
  return value;
}

// IPv4 on a dual-stack socket comes as IPV6_PKTINFO with a mapped address.
std::optional<IpAddress> read_destination(const cmsghdr& header) {
  std::optional<IpAddress> address;
  if (header.cmsg_level == IPPROTO_IP) {
    in_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(&header), sizeof info);
    address = IpAddress::ip4(ntohl(info.ipi_addr.s_addr));
  } else {
    in6_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(&header), sizeof info);
    sockaddr_storage storage{};
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_addr = info.ipi6_addr;
    std::memcpy(&storage, &name, sizeof name);
    address = to_endpoint(storage).address;
  }
  return address->is_multicast() ? std::nullopt : address;
}

}  // namespace

struct ReceiveBatch::Storage {
  explicit Storage(std::size_t messages)
      : headers(messages),
        vectors(messages),
        sources(messages),
        controls(messages),
        room(std::make_unique_for_overwrite<std::uint8_t[]>(messages * kRoom)) {}

  void arm() {
    for (std::size_t i = 0; i < headers.size(); ++i) {
      vectors[i] = {room.get() + i * kRoom, kRoom};
      headers[i] = {};
      headers[i].msg_hdr.msg_name = &sources[i];
      headers[i].msg_hdr.msg_namelen = sizeof sources[i];
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_control = controls[i].octets.data();
      headers[i].msg_hdr.msg_controllen = kControl;
    }
  }

  struct Control {
    alignas(cmsghdr) std::array<std::uint8_t, kControl> octets;
  };
  std::vector<mmsghdr> headers;
  std::vector<iovec> vectors;
  std::vector<sockaddr_storage> sources;
  std::vector<Control> controls;
  std::unique_ptr<std::uint8_t[]> room;
};

ReceiveBatch::ReceiveBatch(std::size_t messages) : storage_(std::make_unique<Storage>(messages)) {
  datagrams_.reserve(messages * kMaxPerMessage);
}

ReceiveBatch::~ReceiveBatch() = default;

ReceiveBatch::Received ReceiveBatch::receive(int fd) {
  datagrams_.clear();
  overflow_.reset();
  full_ = false;
  storage_->arm();
  const int count = ::recvmmsg(fd, storage_->headers.data(), static_cast<unsigned>(storage_->headers.size()),
                               MSG_DONTWAIT, nullptr);
  if (count < 0) {
    const bool idle = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return {{}, idle ? 0 : errno};
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    split(i, storage_->headers[i].msg_len);
  }
  full_ = static_cast<std::size_t>(count) == storage_->headers.size();
  return {datagrams_, 0, full_};
}

void ReceiveBatch::split(std::size_t message, std::size_t size) {
  msghdr& header = storage_->headers[message].msg_hdr;
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    return;
  }
  Datagram datagram;
  std::size_t segment = size;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    const auto is = [&](int level, int type) {
      return control->cmsg_level == level && control->cmsg_type == type;
    };
    if (is(SOL_UDP, UDP_GRO)) {
      segment = static_cast<std::size_t>(std::max(read_int(*control), 1));
    } else if (is(IPPROTO_IP, IP_TOS) || is(IPPROTO_IPV6, IPV6_TCLASS)) {
      datagram.traffic_class = static_cast<std::uint8_t>(read_int(*control));
    } else if (is(IPPROTO_IP, IP_TTL) || is(IPPROTO_IPV6, IPV6_HOPLIMIT)) {
      datagram.hop_limit = static_cast<std::uint8_t>(read_int(*control));
    } else if (is(IPPROTO_IP, IP_PKTINFO) || is(IPPROTO_IPV6, IPV6_PKTINFO)) {
      datagram.destination = read_destination(*control);
    } else if (is(SOL_SOCKET, SO_RXQ_OVFL)) {
      overflow_ = static_cast<std::uint32_t>(read_int(*control));
    } else if (is(SOL_SOCKET, SCM_TIMESTAMPNS)) {
      timespec time{};
      std::memcpy(&time, CMSG_DATA(control), sizeof time);
      datagram.arrived_ns = std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    }
  }
  datagram.source = to_endpoint(storage_->sources[message]);
  const Bytes whole(storage_->room.get() + message * kRoom, size);
  std::size_t at = 0;
  do {
    datagram.payload = whole.subspan(at, std::min(segment, size - at));
    datagrams_.push_back(datagram);
    at += segment;
  } while (at < size);
}

}  // namespace hearthcast::linux
