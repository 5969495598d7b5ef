#include "tunnelmgr/netd/service.hpp"

#include <array>
#include <cerrno>
#include <set>
#include <utility>

#include "tunnelmgr/linux/netd_operations.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::netd {
namespace {

using linux::NetdOperation;
using linux::NetdRequest;

class Gate {
 public:
  explicit Gate(Duty duty) : duty_(duty) {}

  [[nodiscard]] bool passes(const NetdRequest& request) const {
    if (duty_ == Duty::kAll) {
      return true;
    }
    switch (request.operation) {
      case NetdOperation::kForceReceiveBuffer:
      case NetdOperation::kOpenTun:
      case NetdOperation::kAddTunAddress:
      case NetdOperation::kRemoveTunAddress:
      case NetdOperation::kAddTunRoute:
      case NetdOperation::kRemoveTunRoute:
        return true;
      case NetdOperation::kReadSetting:
        return request.setting == linux::MachineSetting::kReversePathFilter;
      case NetdOperation::kWriteSetting:
        return request.setting == linux::MachineSetting::kReversePathFilter &&
               own_.contains(request.interface_index);
      default:
        return false;
    }
  }
  // Of an interface that was made here it may change the settings.
  void on_reply(const linux::NetdReply& reply) {
    if (reply.operation == NetdOperation::kOpenTun && reply.error == 0) {
      own_.insert(reply.value);
    }
  }

 private:
  Duty duty_;
  std::set<std::uint64_t> own_;  // indices, which a kernel does not use again for another interface
};

}  // namespace

bool serve(int socket, linux::Fd tun_node, Duty duty) {
  linux::NetdOperations operations(std::move(tun_node));
  Gate gate(duty);
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
    const auto outcome = gate.passes(*request)
                             ? operations.perform(*request, message.descriptor.get())
                             : linux::NetdOperations::Outcome{{request->operation, EPERM, 0}, linux::Fd()};
    gate.on_reply(outcome.reply);
    if (!linux::send_message(socket, encode(outcome.reply), outcome.descriptor.get())) {
      return false;
    }
  }
}

}  // namespace hearthcast::netd
