#include "tunnelmgr/linux/netd_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>

#include "tunnelmgr/linux/netd_protocol.hpp"
#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::linux {
namespace {

// The kernel doubles what is asked for, as room for its own overhead, and reports the double.
bool is_enough(int socket, std::size_t octets) {
  const auto has = get_option(socket, SOL_SOCKET, SO_RCVBUF);
  return has && static_cast<std::size_t>(*has) >= octets * 2;
}

}  // namespace

NetdClient::NetdClient(Fd socket) : socket_(std::move(socket)) {
  const timeval limit{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Result<void, Failure> NetdClient::raise_receive_buffer(int socket, std::size_t octets) {
  const int wanted = static_cast<int>(octets);
  set_option(socket, SOL_SOCKET, SO_RCVBUF, wanted);
  if (!is_enough(socket, octets)) {
    set_option(socket, SOL_SOCKET, SO_RCVBUFFORCE, wanted);
  }
  if (is_enough(socket, octets) || (socket_ && ask_helper(socket, octets))) {
    return boost::system::in_place_value;
  }
  return Failure{
      "the receive buffer is smaller than wished for, so a busy moment can lose packets; set "
      "net.core.rmem_max to at least " +
      std::to_string(octets)};
}

bool NetdClient::ask_helper(int socket, std::size_t octets) {
  std::array<std::uint8_t, 64> room{};
  const NetdRequest request{NetdOperation::kForceReceiveBuffer, static_cast<std::uint32_t>(octets)};
  if (!send_message(socket_.get(), encode(request), socket)) {
    socket_.close();  // gone, and it will not come back
    return false;
  }
  const UnixMessage answer = receive_message(socket_.get(), room);
  const auto reply = decode_netd_reply(Bytes(room).first(answer.size));
  if (!reply) {
    socket_.close();  // gone or stuck: a late answer must not be taken for the next one's
    return false;
  }
  return reply->error == 0 && is_enough(socket, octets);
}

}  // namespace hearthcast::linux
