#include "tunnelmgr/linux/netd_operations.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "tunnelmgr/linux/privileged_sockets.hpp"
#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/linux/tun_interface.hpp"

namespace hearthcast::linux {
namespace {

using Outcome = NetdOperations::Outcome;

Outcome failed(NetdOperation operation, KernelError error) {
  return {{operation, static_cast<std::uint32_t>(error), 0}, Fd()};
}
Outcome done(NetdOperation operation, std::uint64_t value = 0) { return {{operation, 0, value}, Fd()}; }

// The only kind of descriptor that is touched.
bool is_udp_socket(int descriptor) {
  return get_option(descriptor, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP &&
         get_option(descriptor, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM;
}

// Routing tables have a family, and so have raw sockets, which have no table.
bool needs_table(const NetdRequest& request) {
  return request.family && request.operation != NetdOperation::kOpenRawIp;
}

bool is_lent_table(std::uint32_t table) {
  return table >= kFirstMulticastTable && table - kFirstMulticastTable < kMulticastTables;
}

Outcome force_receive_buffer(const NetdRequest& request, int descriptor) {
  if (!is_udp_socket(descriptor)) {
    return failed(request.operation, KernelError{ENOTSOCK});
  }
  if (request.argument == 0 || request.argument > kLargestReceiveBuffer) {
    return failed(request.operation, KernelError{EINVAL});
  }
  if (!set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, static_cast<int>(request.argument))) {
    return failed(request.operation, KernelError{errno});
  }
  return done(request.operation,
              static_cast<std::uint64_t>(get_option(descriptor, SOL_SOCKET, SO_RCVBUF).value_or(0)));
}

Outcome opened(NetdOperation operation, Result<Fd, KernelError> fd) {
  if (!fd) {
    return failed(operation, fd.error());
  }
  return {{operation, 0, 0}, std::move(*fd)};
}

template <class T>
Outcome from(NetdOperation operation, const Result<T, KernelError>& result) {
  return result ? done(operation) : failed(operation, result.error());
}

}  // namespace

Outcome NetdOperations::perform(const NetdRequest& request, int descriptor) {
  // What arrived as octets was checked already; what a program asks itself was not.
  if (const auto checked = decode_netd_request(encode(request)); !checked || *checked != request) {
    return failed(request.operation, KernelError{EINVAL});
  }
  return carry_out(request, descriptor);
}

Outcome NetdOperations::carry_out(const NetdRequest& request, int descriptor) {
  const NetdOperation operation = request.operation;
  if (request.address || operation == NetdOperation::kOpenTun) {
    return carry_out_on_tun(request, descriptor);
  }
  if (needs_table(request) && !is_lent_table(request.argument)) {
    return failed(operation, KernelError{EINVAL});
  }
  switch (operation) {
    case NetdOperation::kForceReceiveBuffer:
      return force_receive_buffer(request, descriptor);
    case NetdOperation::kOpenLinkSocket:
      if (request.interface_index == 0) {  // would be all interfaces at once
        return failed(operation, KernelError{EINVAL});
      }
      return opened(operation, open_link_socket(request.interface_index));
    case NetdOperation::kOpenMulticastRouting: {
      auto fd = open_multicast_routing_socket(*request.family, request.argument);
      if (fd) {
        MulticastRules::remove_all(*request.family,
                                   request.argument);  // nobody else has the table: left behind
      }
      return opened(operation, std::move(fd));
    }
    case NetdOperation::kAddMulticastRule:
      return from(operation, rules_.add(*request.family, request.argument, request.interface_index));
    case NetdOperation::kRemoveMulticastRule:
      return from(operation, rules_.remove(*request.family, request.argument, request.interface_index));
    case NetdOperation::kReadSetting: {
      const auto value = read_setting(*request.setting, request.interface_index);
      return value ? done(operation, *value) : failed(operation, value.error());
    }
    case NetdOperation::kOpenRawIp:
      return opened(operation, open_raw_ip_socket(*request.family, request.argument));
    case NetdOperation::kWriteSetting:
      return from(operation, write_setting(*request.setting, request.interface_index, request.argument));
    case NetdOperation::kOpenTun:
    case NetdOperation::kAddTunAddress:
    case NetdOperation::kRemoveTunAddress:
    case NetdOperation::kAddTunRoute:
    case NetdOperation::kRemoveTunRoute:
      break;  // done above
  }
  return failed(operation, KernelError{EINVAL});
}

Outcome NetdOperations::carry_out_on_tun(const NetdRequest& request, int descriptor) {
  const NetdOperation operation = request.operation;
  switch (operation) {
    case NetdOperation::kOpenTun: {
      auto opened = open_tun(std::exchange(tun_node_, Fd()), request.argument);
      if (!opened) {
        return failed(operation, opened.error());
      }
      return {{operation, 0, opened->index}, std::move(opened->fd)};
    }
    case NetdOperation::kAddTunAddress:
      return from(operation, add_tun_address(descriptor, *request.address, request.length));
    case NetdOperation::kRemoveTunAddress:
      return from(operation, remove_tun_address(descriptor, *request.address, request.length));
    case NetdOperation::kAddTunRoute:
      return from(operation, add_tun_route(descriptor, {*request.address, request.length}));
    case NetdOperation::kRemoveTunRoute:
      return from(operation, remove_tun_route(descriptor, {*request.address, request.length}));
    default:
      return failed(operation, KernelError{EINVAL});
  }
}

}  // namespace hearthcast::linux
