#include <netinet/in.h>

#include <ctime>
#include <iostream>
#include <random>

#include "tunnelmgr/linux/epoll.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"
#include "tunnelmgr/mcast/commands.hpp"
#include "tunnelmgr/mcast/complain.hpp"
#include "tunnelmgr/mcast/flow_text.hpp"
#include "tunnelmgr/mcast/report.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::mcast {
namespace {

constexpr int kHopLimit = 255;  // so that a router can tell its neighbours (RFC 5082)

void run(trace::Client& client, linux::UdpSocket& socket) {
  linux::Epoll epoll;
  linux::ReceiveBatch batch;
  if (!epoll.add(socket.fd(), 0)) {
    return;
  }
  const auto send = [&](const std::optional<trace::SendQuery>& query) {
    if (query) {
      static_cast<void>(socket.send(query->to, query->datagram));  // what is lost is asked again
    }
  };
  while (!stopped()) {
    send(client.on_deadline(Clock::now()));
    if (client.outcome()) {
      return;
    }
    static_cast<void>(epoll.wait(client.next_deadline()));
    for (const auto& datagram : socket.receive(batch).datagrams) {
      send(client.on_datagram(datagram.payload, Clock::now()));
    }
  }
}

}  // namespace

int trace(const TraceArguments& arguments) {
  const auto flow = parse_flow(arguments.flow);
  if (!flow) {
    return complain(flow.error().text, runtime::kWrongUsage);
  }
  const auto router = IpAddress::parse(arguments.router);
  if (!router || router->family() != flow->group.family() || router->is_multicast() ||
      router->is_link_local()) {
    return complain("'" + arguments.router +
                        "' cannot be asked: write the router's address on your link, of the "
                        "group's family and not link-local",
                    runtime::kWrongUsage);
  }
  if (arguments.hops == 0 || arguments.hops > 255 || arguments.timeout <= 0) {
    return complain("--hops: 1 to 255; --timeout: more than 0", runtime::kWrongUsage);
  }
  const auto own = linux::own_address_towards(*router);
  auto socket = linux::UdpSocket::open({.port = 0, .address = own});
  if (!own || !socket) {
    return complain(own ? socket.error().text : "there is no route to " + arguments.router, runtime::kFailed);
  }
  linux::set_option(socket->fd(), IPPROTO_IP, IP_TTL, kHopLimit);
  linux::set_option(socket->fd(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, kHopLimit);

  const trace::Query query{flow->group, flow->source, *router, {*own, socket->port()}};
  trace::ClientTiming timing;
  timing.timeout = std::chrono::milliseconds(static_cast<int>(arguments.timeout * 1000));
  timing.hops = static_cast<std::uint8_t>(arguments.hops);
  trace::Client client(query, timing, static_cast<std::uint16_t>(std::random_device{}()), Clock::now());
  run(client, *socket);
  if (!client.outcome()) {
    return runtime::kFailed;
  }
  std::cout << (arguments.json ? to_json(query, *client.outcome()) : to_text(query, *client.outcome()))
            << std::flush;
  return client.outcome()->path.empty() ? runtime::kFailed : runtime::kFine;
}

}  // namespace hearthcast::mcast
