// Messages over Unix sockets that may carry one descriptor (SCM_RIGHTS), and who sent them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

// A connected pair that keeps message borders. Throws std::system_error: only at start-up.
[[nodiscard]] std::pair<Fd, Fd> make_message_pair();

// Connects to a socket file that keeps message borders; none when nobody listens there or we may not.
[[nodiscard]] Fd connect_message_socket(const std::string& path);

// False when the message could not be sent whole. descriptor: negative for none; stays with the caller.
bool send_message(int socket, Bytes message, int descriptor = -1);

// Waits for one message. size 0: the other side is gone, the receive timeout of the socket has passed, or the
// message did not fit. More than one descriptor in it: all but the first are closed.
struct UnixMessage {
  std::size_t size = 0;
  Fd descriptor;
};
[[nodiscard]] UnixMessage receive_message(int socket, MutableBytes room);

// Who was at the other end when it was connected; nullopt when it is no Unix socket.
[[nodiscard]] std::optional<uid_t> peer_user(int socket);

}  // namespace hearthcast::linux
