#include "appliance/trace/trace_service.hpp"

#include <chrono>

#include "appliance/trace/trace_routes.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/linux/link_udp_socket.hpp"
#include "tunnelmgr/runtime/readable_watch.hpp"

namespace hearthcast::trace {
namespace {

constexpr std::size_t kMessages = 4;  // questions are rare, and the responder has a budget

// Queries may be sent to all routers of a link.
IpAddress all_routers(Family family) {
  return *IpAddress::parse(family == Family::kIp4 ? "224.0.0.2" : "ff02::2");
}

std::uint32_t ntp_now() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return ntp_middle(std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count());
}

}  // namespace

struct TraceService::Port {
  Port(const Place& where, linux::LinkUdpSocket opened) : place(where), socket(std::move(opened)) {}
  Place place;
  linux::LinkUdpSocket socket;
  linux::ReceiveBatch batch{kMessages};
  std::unique_ptr<runtime::ReadableWatch> watch;  // goes before the socket
};

TraceService::TraceService(boost::asio::io_context& loop, Log& log, std::function<proxy::Status(Time)> status)
    : loop_(loop), log_(log), status_(std::move(status)), responder_({}, Clock::now()) {}

TraceService::~TraceService() = default;

void TraceService::on_interfaces(std::vector<linux::Interface> interfaces, const std::set<unsigned>& links) {
  interfaces_ = std::move(interfaces);
  std::erase_if(ports_, [&](const auto& port) { return !links.contains(port.first.index); });
  for (const unsigned index : links) {
    for (const Family family : {Family::kIp4, Family::kIp6}) {
      for (const bool group : {false, true}) {
        if (!ports_.contains({index, family, group})) {
          open({index, family, group});
        }
      }
    }
  }
}

void TraceService::open(const Place& place) {
  auto& port = ports_[place];
  linux::LinkUdpOptions options{place.index, place.family, wire::kMtrace2Port, std::nullopt};
  if (place.all_routers) {
    options.group = all_routers(place.family);
  }
  auto socket = linux::LinkUdpSocket::open(options);
  if (!socket) {
    log_.warning("trace_not_answered",
                 {{"interface", std::to_string(place.index)}, {"error", socket.error().text}});
    return;
  }
  port = std::make_unique<Port>(place, std::move(*socket));
  port->watch = std::make_unique<runtime::ReadableWatch>(loop_, port->socket.fd(),
                                                         [this, raw = port.get()] { on_readable(*raw); });
}

void TraceService::on_readable(Port& port) {
  const Time now = Clock::now();
  const auto received = port.socket.receive(port.batch);
  const TraceRoutes routes(interfaces_, [&] { return status_(now); });
  for (const auto& datagram : received.datagrams) {
    const Arrival arrival{datagram.source, port.place.index, datagram.hop_limit, port.place.all_routers};
    if (const auto answer = responder_.on_datagram(datagram.payload, arrival, routes, ntp_now(), now)) {
      port.socket.send(answer->to, answer->datagram);
    }
  }
}

}  // namespace hearthcast::trace
