#include "tunnelmgr/linux/socket_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace hearthcast::linux {
namespace {

constexpr std::size_t kMappedPrefix = 12;

}  // namespace

SocketAddress to_socket_address(const Endpoint& endpoint, int socket_family, unsigned scope) {
  SocketAddress out;
  const Bytes octets = endpoint.address.bytes();
  if (socket_family == AF_INET) {
    if (endpoint.address.is_ip6()) {
      return out;
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, octets.data(), octets.size());
    std::memcpy(&out.storage, &address, sizeof address);
    out.size = sizeof address;
    return out;
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  address.sin6_scope_id = scope;
  if (endpoint.address.is_ip4()) {
    address.sin6_addr.s6_addr[10] = 0xff;
    address.sin6_addr.s6_addr[11] = 0xff;
    std::copy(octets.begin(), octets.end(), address.sin6_addr.s6_addr + kMappedPrefix);
  } else {
    std::copy(octets.begin(), octets.end(), address.sin6_addr.s6_addr);
  }
  std::memcpy(&out.storage, &address, sizeof address);
  out.size = sizeof address;
  return out;
}

Endpoint to_endpoint(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof address);
    return {IpAddress::ip4(ntohl(address.sin_addr.s_addr)), ntohs(address.sin_port)};
  }
  if (storage.ss_family != AF_INET6) {
    return {};
  }
  sockaddr_in6 address{};
  std::memcpy(&address, &storage, sizeof address);
  Bytes octets(address.sin6_addr.s6_addr);
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
    octets = octets.subspan(kMappedPrefix);
  }
  return {*IpAddress::from_bytes(octets), ntohs(address.sin6_port)};
}

}  // namespace hearthcast::linux
