#include "tunnelmgr/linux/netd_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/linux/netd_operations.hpp"
#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::linux {
namespace {

// The kernel doubles what is asked for, as room for its own overhead, and reports the double.
bool is_enough(int socket, std::size_t octets) {
  const auto has = get_option(socket, SOL_SOCKET, SO_RCVBUF);
  return has && static_cast<std::size_t>(*has) >= octets * 2;
}

Failure refusal(const std::string& what, std::uint32_t error) {
  Failure failure = kernel_failure(what, static_cast<int>(error));
  switch (error) {
    case EPERM:
    case EACCES:
      failure.text +=
          "; this needs hearthcast-netd: run as root with run_as set, or let the service manager start "
          "hearthcast-netd.socket (hearthcast-away: hearthcast-away-netd.socket)";
      break;
    case EADDRINUSE:
      failure.text += "; another program has this table: stop it, or choose another";
      break;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ENOPROTOOPT:
      failure.text +=
          "; this kernel was built without multicast routing (CONFIG_IP_MROUTE, CONFIG_IPV6_MROUTE and their "
          "MULTIPLE_TABLES)";
      break;
    default:
      break;
  }
  return failure;
}

constexpr std::chrono::seconds kPatience{5};

void limit_waiting(const Fd& socket) {
  const timeval limit{kPatience.count(), 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

NetdRequest add_rule(Family family, std::uint32_t table, unsigned interface_index) {
  return {.operation = NetdOperation::kAddMulticastRule,
          .family = family,
          .interface_index = interface_index,
          .argument = table};
}

std::string name_of(Family family) { return family == Family::kIp4 ? "IPv4" : "IPv6"; }

}  // namespace

struct NetdClient::Outcome : NetdOperations::Outcome {};

NetdClient::NetdClient() : own_(std::make_unique<NetdOperations>()) {}

NetdClient::NetdClient(Fd socket, std::string listening)
    : socket_(std::move(socket)), listening_(std::move(listening)), own_(std::make_unique<NetdOperations>()) {
  limit_waiting(socket_);
}

NetdClient::NetdClient(NetdClient&&) noexcept = default;
NetdClient& NetdClient::operator=(NetdClient&&) noexcept = default;
NetdClient::~NetdClient() = default;

Result<void, Failure> NetdClient::raise_receive_buffer(int socket, std::size_t octets) {
  const int wanted = static_cast<int>(octets);
  set_option(socket, SOL_SOCKET, SO_RCVBUF, wanted);
  if (!is_enough(socket, octets)) {
    const NetdRequest request{.operation = NetdOperation::kForceReceiveBuffer,
                              .argument = static_cast<std::uint32_t>(octets)};
    static_cast<void>(perform(request, socket));
  }
  if (is_enough(socket, octets)) {
    return boost::system::in_place_value;
  }
  return Failure{
      "the receive buffer is smaller than wished for, so a busy moment can lose packets; set "
      "net.core.rmem_max to at least " +
      std::to_string(octets)};
}

Result<Fd, Failure> NetdClient::open_link_socket(unsigned interface_index) {
  auto outcome = perform({.operation = NetdOperation::kOpenLinkSocket, .interface_index = interface_index});
  if (outcome.reply.error != 0) {
    return refusal("listening for MLD and IGMP on interface " + std::to_string(interface_index),
                   outcome.reply.error);
  }
  return std::move(outcome.descriptor);
}

Result<Fd, Failure> NetdClient::open_multicast_routing(Family family, std::uint32_t table) {
  auto outcome =
      perform({.operation = NetdOperation::kOpenMulticastRouting, .family = family, .argument = table});
  if (outcome.reply.error != 0) {
    return refusal("taking " + name_of(family) + " multicast routing table " + std::to_string(table),
                   outcome.reply.error);
  }
  return std::move(outcome.descriptor);
}

Result<Fd, Failure> NetdClient::open_raw_ip(Family family, std::uint8_t protocol) {
  auto outcome = perform({.operation = NetdOperation::kOpenRawIp, .family = family, .argument = protocol});
  if (outcome.reply.error != 0) {
    return refusal("opening a raw " + name_of(family) + " socket for protocol " + std::to_string(protocol),
                   outcome.reply.error);
  }
  return std::move(outcome.descriptor);
}

Result<void, Failure> NetdClient::add_multicast_rule(Family family, std::uint32_t table,
                                                     unsigned interface_index) {
  const auto outcome = perform(add_rule(family, table, interface_index));
  if (outcome.reply.error != 0) {
    return refusal("routing multicast of interface " + std::to_string(interface_index) + " by " +
                       name_of(family) + " table " + std::to_string(table),
                   outcome.reply.error);
  }
  rules_.emplace(family, table, interface_index);
  return boost::system::in_place_value;
}

void NetdClient::remove_multicast_rule(Family family, std::uint32_t table, unsigned interface_index) {
  rules_.erase({family, table, interface_index});
  static_cast<void>(perform({.operation = NetdOperation::kRemoveMulticastRule,
                             .family = family,
                             .interface_index = interface_index,
                             .argument = table}));
}

Result<OpenedTun, Failure> NetdClient::open_tun(unsigned mtu) {
  auto outcome = perform({.operation = NetdOperation::kOpenTun, .argument = mtu});
  const std::uint32_t error = outcome.reply.error;
  if (error == 0) {
    return OpenedTun{std::move(outcome.descriptor), static_cast<unsigned>(outcome.reply.value)};
  }
  Failure failure = refusal("making a TUN interface", error);
  if (error == ENOENT || error == ENODEV || error == ENXIO) {
    failure.text += "; " + std::string(kTunNode) + " does not work: load the kernel's module (modprobe tun)";
  }
  return failure;
}

Result<void, Failure> NetdClient::change_tun(NetdOperation operation, int tun, const Prefix& what) {
  const auto outcome = perform({.operation = operation,
                                .family = what.address.family(),
                                .address = what.address,
                                .length = what.length},
                               tun);
  if (outcome.reply.error != 0) {
    const bool route =
        operation == NetdOperation::kAddTunRoute || operation == NetdOperation::kRemoveTunRoute;
    return refusal((route ? "the route to " : "the address ") + what.address.to_string() + "/" +
                       std::to_string(what.length) + " on the TUN interface",
                   outcome.reply.error);
  }
  return boost::system::in_place_value;
}

Result<void, Failure> NetdClient::add_tun_address(int tun, const IpAddress& address, unsigned length) {
  return change_tun(NetdOperation::kAddTunAddress, tun, {address, length});
}

Result<void, Failure> NetdClient::remove_tun_address(int tun, const IpAddress& address, unsigned length) {
  return change_tun(NetdOperation::kRemoveTunAddress, tun, {address, length});
}

Result<void, Failure> NetdClient::add_tun_route(int tun, const Prefix& to) {
  return change_tun(NetdOperation::kAddTunRoute, tun, to);
}

Result<void, Failure> NetdClient::remove_tun_route(int tun, const Prefix& to) {
  return change_tun(NetdOperation::kRemoveTunRoute, tun, to);
}

Result<std::uint32_t, Failure> NetdClient::read_setting(MachineSetting setting, unsigned interface_index) {
  const auto outcome = perform(
      {.operation = NetdOperation::kReadSetting, .setting = setting, .interface_index = interface_index});
  if (outcome.reply.error != 0) {
    return refusal("reading " + linux::name_of(setting), outcome.reply.error);
  }
  return static_cast<std::uint32_t>(outcome.reply.value);
}

Result<void, Failure> NetdClient::write_setting(MachineSetting setting, std::uint32_t value,
                                                unsigned interface_index) {
  const auto outcome = perform({.operation = NetdOperation::kWriteSetting,
                                .setting = setting,
                                .interface_index = interface_index,
                                .argument = value});
  if (outcome.reply.error != 0) {
    return refusal("setting " + linux::name_of(setting) + " to " + std::to_string(value),
                   outcome.reply.error);
  }
  return boost::system::in_place_value;
}

bool NetdClient::look_after() {
  // It says nothing unasked: what is to be read is its end.
  std::uint8_t octet = 0;
  const bool silent = socket_ && ::recv(socket_.get(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
                      (errno == EAGAIN || errno == EINTR);
  return silent || reconnect();
}

bool NetdClient::reconnect() {
  socket_.close();
  if (can_reconnect()) {
    socket_ = connect_message_socket(listening_);
    limit_waiting(socket_);
  }
  for (const auto& [family, table, interface_index] : rules_) {
    if (socket_ && !ask_helper(add_rule(family, table, interface_index), -1)) {
      socket_.close();
    }
  }
  return has_helper();
}

// What the program may do itself it does itself when the helper has gone or never was.
NetdClient::Outcome NetdClient::perform(const NetdRequest& request, int descriptor) {
  const Time began = Clock::now();
  std::optional<Outcome> answer = socket_ ? ask_helper(request, descriptor) : std::nullopt;
  if (!answer && Clock::now() - began >= kPatience) {
    listening_.clear();  // stuck, as the next one would be, and everything waits for it
  }
  if (!answer && reconnect()) {
    answer = ask_helper(request, descriptor);
  }
  if (!answer) {
    socket_.close();  // a late answer must not be taken for the next one's
    return {own_->perform(request, descriptor)};
  }
  return std::move(*answer);
}

std::optional<NetdClient::Outcome> NetdClient::ask_helper(const NetdRequest& request, int descriptor) {
  if (!send_message(socket_.get(), encode(request), descriptor)) {
    return std::nullopt;
  }
  std::array<std::uint8_t, 64> room{};
  UnixMessage answer = receive_message(socket_.get(), room);
  const auto reply = decode_netd_reply(Bytes(room).first(answer.size));
  if (!reply || reply->operation != request.operation) {
    return std::nullopt;
  }
  return Outcome{{*reply, std::move(answer.descriptor)}};
}

}  // namespace hearthcast::linux
