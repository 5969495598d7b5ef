#include "tunnelmgr/linux/group_socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include "tunnelmgr/linux/socket_address.hpp"

namespace hearthcast::linux {
namespace {

int socket_family(Family family) { return family == Family::kIp4 ? AF_INET : AF_INET6; }
int level(Family family) { return family == Family::kIp4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6}; }

sockaddr_storage to_kernel(const IpAddress& address) {
  return to_socket_address({address, 0}, socket_family(address.family())).storage;
}

}  // namespace

Result<GroupSocket, KernelError> GroupSocket::open(Family family) {
  Fd fd(::socket(socket_family(family), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return KernelError{errno};
  }
  return GroupSocket(std::move(fd), family);
}

int GroupSocket::join(const Membership& membership) { return change(MCAST_JOIN_GROUP, membership); }

void GroupSocket::leave(const Membership& membership) {
  static_cast<void>(change(MCAST_LEAVE_GROUP, membership));  // fails only when it was left with its interface
}

int GroupSocket::join_source(const Membership& membership, const IpAddress& source) {
  return change(MCAST_JOIN_SOURCE_GROUP, membership, source);
}
int GroupSocket::leave_source(const Membership& membership, const IpAddress& source) {
  return change(MCAST_LEAVE_SOURCE_GROUP, membership, source);
}
int GroupSocket::block_source(const Membership& membership, const IpAddress& source) {
  return change(MCAST_BLOCK_SOURCE, membership, source);
}
int GroupSocket::unblock_source(const Membership& membership, const IpAddress& source) {
  return change(MCAST_UNBLOCK_SOURCE, membership, source);
}

int GroupSocket::set_filter(const Membership& membership, FilterMode mode, const AddressSet& sources) {
  // struct group_filter ends in its list of sources.
  constexpr std::size_t kBegin = offsetof(group_filter, gf_slist);
  std::vector<std::uint8_t> request(kBegin +
                                    std::max<std::size_t>(sources.size(), 1) * sizeof(sockaddr_storage));
  group_filter begin{};
  begin.gf_interface = membership.interface_index;
  begin.gf_group = to_kernel(membership.group);
  begin.gf_fmode = mode == FilterMode::kInclude ? MCAST_INCLUDE : MCAST_EXCLUDE;
  begin.gf_numsrc = static_cast<std::uint32_t>(sources.size());
  std::memcpy(request.data(), &begin, kBegin);
  std::size_t at = kBegin;
  for (const IpAddress& source : sources) {
    const sockaddr_storage address = to_kernel(source);
    std::memcpy(request.data() + at, &address, sizeof address);
    at += sizeof address;
  }
  const auto size = static_cast<socklen_t>(request.size());
  return ::setsockopt(fd_.get(), level(family_), MCAST_MSFILTER, request.data(), size) == 0 ? 0 : errno;
}

int GroupSocket::change(int option, const Membership& membership) const {
  group_req request{};
  request.gr_interface = membership.interface_index;
  request.gr_group = to_kernel(membership.group);
  return ::setsockopt(fd_.get(), level(family_), option, &request, sizeof request) == 0 ? 0 : errno;
}

int GroupSocket::change(int option, const Membership& membership, const IpAddress& source) const {
  group_source_req request{};
  request.gsr_interface = membership.interface_index;
  request.gsr_group = to_kernel(membership.group);
  request.gsr_source = to_kernel(source);
  return ::setsockopt(fd_.get(), level(family_), option, &request, sizeof request) == 0 ? 0 : errno;
}

}  // namespace hearthcast::linux
