#include "tunnelmgr/linux/group_watch.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::uint32_t kDestination4 = 16;  // offsets in the IP headers
constexpr std::uint32_t kDestination6 = 24;

std::uint32_t word(Bytes octets, std::size_t at) {
  Reader r(octets.subspan(at));
  return r.u32();
}

// Takes what goes to that address and has come in; the socket sees IP packets.
std::vector<sock_filter> destination_is(const IpAddress& group) {
  const Bytes octets = group.bytes();
  const std::uint32_t first = group.is_ip4() ? kDestination4 : kDestination6;
  const std::size_t words = octets.size() / 4;
  std::vector<sock_filter> program;
  // A comparison that fails jumps to the last instruction, the refusal; the one before it accepts.
  const std::size_t size = 2 + 2 * words + 2;
  const auto to_refusal = [&] { return static_cast<std::uint8_t>(size - program.size() - 2); };
  program.push_back(
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, to_refusal(), 0));
  for (std::size_t i = 0; i < words; ++i) {
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, first + static_cast<std::uint32_t>(4 * i)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word(octets, 4 * i), 0, to_refusal()));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 64));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  return program;
}

}  // namespace

Result<GroupWatch, Failure> GroupWatch::open(unsigned interface_index, const IpAddress& group) {
  const auto protocol = static_cast<std::uint16_t>(group.is_ip4() ? ETH_P_IP : ETH_P_IPV6);
  Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    const int error = errno;
    Failure failure = kernel_failure("watching the link", error);
    if (error == EPERM) {
      failure.text += "; this needs root or CAP_NET_RAW";
    }
    return failure;
  }
  auto program = destination_is(group);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  sockaddr_ll here{};
  here.sll_family = AF_PACKET;
  here.sll_protocol = htons(protocol);
  here.sll_ifindex = static_cast<int>(interface_index);
  packet_mreq every{};
  every.mr_ifindex = here.sll_ifindex;
  every.mr_type = PACKET_MR_ALLMULTI;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      ::setsockopt(fd.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &every, sizeof every) != 0) {
    return kernel_failure(
        "watching " + group.to_string() + " on interface " + std::to_string(interface_index), errno);
  }
  set_option(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
  return GroupWatch(std::move(fd));
}

std::optional<std::int64_t> GroupWatch::last_arrival() {
  std::optional<std::int64_t> last;
  for (;;) {
    std::array<std::uint8_t, 64> octets{};
    alignas(cmsghdr) std::array<std::uint8_t, 64> control{};
    iovec vector{octets.data(), octets.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd_.get(), &message, MSG_DONTWAIT) < 0) {
      return last;
    }
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS) {
        timespec time{};
        std::memcpy(&time, CMSG_DATA(header), sizeof time);
        last = std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
      }
    }
  }
}

}  // namespace hearthcast::linux
