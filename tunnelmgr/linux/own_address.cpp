#include <sys/socket.h>

#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/socket_address.hpp"

namespace hearthcast::linux {

std::optional<IpAddress> own_address_towards(const IpAddress& destination) {
  const int family = destination.is_ip6() ? AF_INET6 : AF_INET;
  const Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketAddress there =
      to_socket_address({destination, 9}, family);  // any port: connecting sends nothing
  sockaddr_storage here{};
  socklen_t size = sizeof here;
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&there.storage), there.size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&here), &size) != 0) {
    return std::nullopt;
  }
  return to_endpoint(here).address;
}

}  // namespace hearthcast::linux
