#include "tunnelmgr/netd/service.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::netd {
namespace {

// The only kind of descriptor that this helper touches.
bool is_udp_socket(int descriptor) {
  return linux::get_option(descriptor, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP &&
         linux::get_option(descriptor, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;
}

}  // namespace

linux::NetdReply perform(const linux::NetdRequest& request, int descriptor) {
  linux::NetdReply reply{request.operation, 0, 0};
  if (!is_udp_socket(descriptor)) {
    reply.error = ENOTSOCK;
  } else if (request.argument == 0 || request.argument > kLargestBuffer) {
    reply.error = EINVAL;
  } else if (!linux::set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, static_cast<int>(request.argument))) {
    reply.error = static_cast<std::uint32_t>(errno);
  } else {
    reply.value =
        static_cast<std::uint64_t>(linux::get_option(descriptor, SOL_SOCKET, SO_RCVBUF).value_or(0));
  }
  return reply;
}

bool serve(int socket) {
  std::array<std::uint8_t, 64> room{};
  for (;;) {
    const linux::UnixMessage message = linux::receive_message(socket, room);
    if (message.size == 0) {
      return true;
    }
    const auto request = linux::decode_netd_request(Bytes(room).first(message.size));
    if (!request || !linux::send_message(socket, encode(perform(*request, message.descriptor.get())))) {
      return false;
    }
  }
}

}  // namespace hearthcast::netd
