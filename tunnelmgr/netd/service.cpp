#include "tunnelmgr/netd/service.hpp"

#include <array>
#include <utility>

#include "tunnelmgr/linux/netd_operations.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::netd {

bool serve(int socket, linux::Fd tun_node) {
  linux::NetdOperations operations(std::move(tun_node));
  std::array<std::uint8_t, 64> room{};
  for (;;) {
    const linux::UnixMessage message = linux::receive_message(socket, room);
    if (message.size == 0) {
      return true;
    }
    const auto request = linux::decode_netd_request(Bytes(room).first(message.size));
    if (!request) {
      return false;
    }
    const auto outcome = operations.perform(*request, message.descriptor.get());
    if (!linux::send_message(socket, encode(outcome.reply), outcome.descriptor.get())) {
      return false;
    }
  }
}

}  // namespace hearthcast::netd
