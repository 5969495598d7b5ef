// Endpoints as the kernel's socket addresses. IPv4 on a dual-stack socket travels as an IPv4-mapped IPv6
// address; it becomes IPv4 again here, so that nobody else ever sees the mapped form.
#pragma once

#include <sys/socket.h>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::linux {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// For a socket of that family (AF_INET or AF_INET6). Size 0 when the endpoint cannot be reached from it (IPv6
// from an AF_INET socket). scope: the interface index of a link-local address, else 0.
[[nodiscard]] SocketAddress to_socket_address(const Endpoint& endpoint, int socket_family,
                                              unsigned scope = 0);

// 0.0.0.0:0 for anything that is not an Internet address.
[[nodiscard]] Endpoint to_endpoint(const sockaddr_storage& storage);

}  // namespace hearthcast::linux
