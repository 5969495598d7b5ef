// What hearthcast-netd does: answers its one client, one request after the other (linux/netd_operations.hpp).
#pragma once

namespace hearthcast::netd {

// Answers until the client is gone; then what it asked for that outlives it (rules) is removed. A message
// that is no request ends the service, too: only a broken or hostile client sends one. True when the client
// simply went.
bool serve(int socket);

}  // namespace hearthcast::netd
