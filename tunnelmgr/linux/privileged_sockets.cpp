#include "tunnelmgr/linux/privileged_sockets.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>
// After netinet/in.h, which they have to agree with.
#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <array>
#include <cerrno>

#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/wire/mld.hpp"

namespace hearthcast::linux {
namespace {

// The two families' options have the same numbers, so one name serves both.
constexpr std::array kOptions4 = {MRT_INIT, MRT_TABLE, MRT_ASSERT};
constexpr std::array kOptions6 = {MRT6_INIT, MRT6_TABLE, MRT6_ASSERT};
static_assert(kOptions4 == kOptions6);

constexpr int kReceiveBuffer = 4 << 20;  // a storm of reports: about ten thousand small packets
constexpr unsigned kWhole = 0x40000;     // octets of a packet that are passed

// The kernel's own knowledge of a packet, at negative offsets.
constexpr unsigned kKindOfPacket = static_cast<unsigned>(SKF_AD_OFF + SKF_AD_PKTTYPE);
constexpr unsigned kVlanTag = static_cast<unsigned>(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT);
constexpr unsigned kProtocol = static_cast<unsigned>(SKF_AD_OFF + SKF_AD_PROTOCOL);

constexpr sock_filter load(unsigned size, unsigned offset) {
  return {static_cast<std::uint16_t>(BPF_LD | BPF_ABS | size), 0, 0, offset};
}
constexpr sock_filter act(unsigned operation, unsigned value) {
  return {static_cast<std::uint16_t>(operation), 0, 0, value};
}
// Continues that many instructions after the next one.
constexpr sock_filter when(unsigned test, unsigned value, std::uint8_t yes, std::uint8_t no) {
  return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | test), yes, no, value};
}

// Offsets are from the IP header on. A packet too short for a question is not passed.
constexpr std::array kMembershipOnly = {
    /* 0*/ load(BPF_W, kKindOfPacket),
    /* 1*/ when(BPF_JGE, PACKET_OTHERHOST, 23, 0),  // another host's, or sent by this machine
    /* 2*/ load(BPF_W, kVlanTag),
    /* 3*/ when(BPF_JEQ, 0, 0, 21),
    /* 4*/ load(BPF_W, kProtocol),
    /* 5*/ when(BPF_JEQ, ETH_P_IP, 0, 2),
    /* 6*/ load(BPF_B, 9),  // IPv4: the protocol
    /* 7*/ when(BPF_JEQ, IPPROTO_IGMP, 16, 17),
    /* 8*/ when(BPF_JEQ, ETH_P_IPV6, 0, 16),
    /* 9*/ load(BPF_B, 6),  // IPv6: the next header, which is
    /*10*/ when(BPF_JEQ, IPPROTO_ICMPV6, 0, 2),
    /*11*/ act(BPF_LDX | BPF_IMM, 0),  // ICMPv6, at once (MLD without Router Alert),
    /*12*/ act(BPF_JMP | BPF_JA, 7),
    /*13*/ when(BPF_JEQ, IPPROTO_HOPOPTS, 0, 11),  // or hop-by-hop,
    /*14*/ load(BPF_B, 40),
    /*15*/ when(BPF_JEQ, IPPROTO_ICMPV6, 0, 9),  // followed by ICMPv6
    /*16*/ load(BPF_B, 41),                      // after 8 octets and 8 times this more
    /*17*/ act(BPF_ALU | BPF_ADD, 1),
    /*18*/ act(BPF_ALU | BPF_LSH | BPF_K, 3),
    /*19*/ act(BPF_MISC | BPF_TAX, 0),
    /*20*/ act(BPF_LD | BPF_B | BPF_IND, 40),  // ICMPv6: the type
    /*21*/ when(BPF_JEQ, wire::kMldV2Report, 2, 0),
    /*22*/ when(BPF_JGE, wire::kMldQuery, 0, 2),
    /*23*/ when(BPF_JGT, wire::kMldV1Done, 1, 0),
    /*24*/ act(BPF_RET | BPF_K, kWhole),
    /*25*/ act(BPF_RET | BPF_K, 0),
};

// Upcalls look like IPv4 packets of protocol 0.
constexpr std::array kUpcallsOnly = {
    load(BPF_B, 9),
    when(BPF_JEQ, 0, 0, 1),
    act(BPF_RET | BPF_K, kWhole),
    act(BPF_RET | BPF_K, 0),
};

template <std::size_t size>
bool attach(int fd, const std::array<sock_filter, size>& filter) {
  const sock_fprog program{size, const_cast<sock_filter*>(filter.data())};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 &&
         set_option(fd, SOL_SOCKET, SO_LOCK_FILTER, 1);
}

bool block_icmp6(int fd) {
  icmp6_filter nothing;
  ICMP6_FILTER_SETBLOCKALL(&nothing);
  return ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &nothing, sizeof nothing) == 0;
}

bool hear_all_multicast(int fd, unsigned interface_index) {
  packet_mreq request{};
  request.mr_ifindex = static_cast<int>(interface_index);
  request.mr_type = PACKET_MR_ALLMULTI;
  return ::setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0;
}

void enlarge_receive_buffer(int fd) {
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBuffer)) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
  }
}

}  // namespace

Result<Fd, KernelError> open_link_socket(unsigned interface_index) {
  // Of no protocol yet, so that nothing comes before the filter stands.
  Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || !attach(fd.get(), kMembershipOnly)) {
    return KernelError{errno};
  }
  enlarge_receive_buffer(fd.get());
  set_option(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);  // the filter does it, too, at a higher price
  set_option(fd.get(), SOL_PACKET, PACKET_AUXDATA, 1);
  sockaddr_ll here{};
  here.sll_family = AF_PACKET;
  here.sll_protocol = htons(ETH_P_ALL);
  here.sll_ifindex = static_cast<int>(interface_index);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
    return KernelError{errno};
  }
  if (!hear_all_multicast(fd.get(), interface_index)) {
    return KernelError{errno};
  }
  return fd;
}

Result<Fd, KernelError> open_multicast_routing_socket(Family family, std::uint32_t table) {
  const bool ip4 = family == Family::kIp4;
  const int protocol = ip4 ? int{IPPROTO_IGMP} : int{IPPROTO_ICMPV6};
  Fd fd(::socket(ip4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!fd || !(ip4 ? attach(fd.get(), kUpcallsOnly) : block_icmp6(fd.get()))) {
    return KernelError{errno};
  }
  const int level = ip4 ? IPPROTO_IP : IPPROTO_IPV6;
  const int number = static_cast<int>(table);
  if (!set_option(fd.get(), level, MRT_TABLE, number) || !set_option(fd.get(), level, MRT_INIT, 1) ||
      !set_option(fd.get(), level, MRT_ASSERT, 1)) {
    return KernelError{errno};
  }
  return fd;
}

Result<Fd, KernelError> open_raw_ip_socket(Family family, std::uint32_t protocol) {
  const bool ip4 = family == Family::kIp4;
  if (protocol != IPPROTO_GRE && !(ip4 && protocol == IPPROTO_IPV6)) {
    return KernelError{EPROTONOSUPPORT};
  }
  Fd fd(::socket(ip4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                 static_cast<int>(protocol)));
  if (!fd) {
    return KernelError{errno};
  }
  return fd;
}

}  // namespace hearthcast::linux
