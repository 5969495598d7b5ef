// What hearthcast-netd does: answers its one client, one request after the other (linux/netd_operations.hpp).
#pragma once

#include <cstdint>

#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::netd {

// Which of the operations (linux/netd_protocol.hpp) a client may ask for; EPERM for the others.
enum class Duty : std::uint8_t {
  kAll,
  kTun,  // what hearthcast-away needs: its receive buffer, and TUN interfaces of its own
};

// Answers until the client is gone; then what it asked for that outlives it (rules) is removed. A message
// that is no request ends the service, too: only a broken or hostile client sends one. True when the client
// simply went. tun_node: as NetdOperations takes it.
bool serve(int socket, linux::Fd tun_node = {}, Duty duty = Duty::kAll);

}  // namespace hearthcast::netd
