#include "tunnelmgr/linux/link_socket.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::size_t kLargestPacket = 16384;    // jumbo frames included; reports are split to fit their link
constexpr std::size_t kLongestLinkAddress = 32;  // MAX_ADDR_LEN: IPv6 tunnels have 16 octets, InfiniBand 20

// A sockaddr_ll with room behind it: the kernel wants as many octets as the link's addresses have.
struct LinkAddress {
  alignas(sockaddr_ll) std::array<std::uint8_t, sizeof(sockaddr_ll) + kLongestLinkAddress> octets{};
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(octets.data()); }
};

// RFC 1112 section 6.4, RFC 2464 section 7. Links without such addresses take no notice of it.
std::array<std::uint8_t, 6> multicast_mac(const IpAddress& group) {
  const Bytes octets = group.bytes();
  if (group.is_ip6()) {
    return {0x33, 0x33, octets[12], octets[13], octets[14], octets[15]};
  }
  return {0x01, 0x00, 0x5e, static_cast<std::uint8_t>(octets[1] & 0x7f), octets[2], octets[3]};
}

LinkAddress address_of(const IpAddress& group, unsigned interface_index) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(group.is_ip6() ? ETH_P_IPV6 : ETH_P_IP);
  to.sll_ifindex = static_cast<int>(interface_index);
  const auto mac = multicast_mac(group);
  to.sll_halen = static_cast<std::uint8_t>(mac.size());
  std::ranges::copy(mac, to.sll_addr);
  LinkAddress out;
  std::memcpy(out.octets.data(), &to, sizeof to);
  return out;
}

std::optional<IpAddress> destination(Bytes packet) {
  constexpr std::size_t kIp4Header = 20;
  constexpr std::size_t kIp6Header = 40;
  if (packet.size() >= kIp4Header && packet[0] >> 4 == 4) {
    return IpAddress::from_bytes(packet.subspan(16, 4));
  }
  if (packet.size() >= kIp6Header && packet[0] >> 4 == 6) {
    return IpAddress::from_bytes(packet.subspan(24, 16));
  }
  return std::nullopt;
}

bool checksum_is_missing(msghdr& header) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == SOL_PACKET && part->cmsg_type == PACKET_AUXDATA) {
      tpacket_auxdata facts{};
      std::memcpy(&facts, CMSG_DATA(part), sizeof facts);
      return (facts.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
    }
  }
  return false;
}

}  // namespace

LinkSocket::LinkSocket(Fd fd, unsigned interface_index)
    : fd_(std::move(fd)), interface_index_(interface_index), room_(kLargestPacket) {}

Result<LinkSocket, Failure> LinkSocket::open(unsigned interface_index, NetdClient& netd) {
  auto fd = netd.open_link_socket(interface_index);
  if (!fd) {
    return fd.error();
  }
  return LinkSocket(std::move(*fd), interface_index);
}

void LinkSocket::hear_own_groups_only() {
  packet_mreq request{};
  request.mr_ifindex = static_cast<int>(interface_index_);
  request.mr_type = PACKET_MR_ALLMULTI;
  // Fails only when it was done, or the interface is gone.
  (void)::setsockopt(fd_.get(), SOL_PACKET, PACKET_DROP_MEMBERSHIP, &request, sizeof request);
}

std::optional<Bytes> LinkSocket::receive() {
  for (;;) {
    iovec vector{room_.data(), room_.size()};
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(tpacket_auxdata))> control{};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == ENETDOWN)) {
      continue;  // the kernel tells once that the link went down; what came before can still be read
    }
    if (got < 0) {
      return std::nullopt;
    }
    const MutableBytes packet = MutableBytes(room_).first(static_cast<std::size_t>(got));
    if (checksum_is_missing(header)) {
      wire::complete_membership_checksum(packet);
    }
    return packet;
  }
}

bool LinkSocket::gone() const {
  sockaddr_ll here{};
  socklen_t size = sizeof here;
  return ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&here), &size) != 0 ||
         here.sll_ifindex != static_cast<int>(interface_index_);
}

Result<void, Failure> LinkSocket::send(Bytes ip_packet) {
  const auto group = destination(ip_packet);
  if (!group || !group->is_multicast()) {
    return Failure{"not a packet to a multicast group"};
  }
  const LinkAddress to = address_of(*group, interface_index_);
  if (::sendto(fd_.get(), ip_packet.data(), ip_packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to.get(),
               to.octets.size()) < 0) {
    return kernel_failure(
        "sending to " + group->to_string() + " on interface " + std::to_string(interface_index_), errno);
  }
  return boost::system::in_place_value;
}

std::uint64_t LinkSocket::overflow() {
  tpacket_stats since_last{};
  socklen_t size = sizeof since_last;
  if (::getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &since_last, &size) == 0) {
    overflow_ += since_last.tp_drops;
  }
  return overflow_;
}

}  // namespace hearthcast::linux
