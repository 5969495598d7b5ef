#include "appliance/gateway/port_mapper.hpp"

#include <optional>
#include <utility>

#include "appliance/gateway/upnp.hpp"
#include "tunnelmgr/linux/default_route.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/link_udp_socket.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"
#include "tunnelmgr/runtime/readable_watch.hpp"
#include "tunnelmgr/runtime/worker.hpp"

namespace hearthcast::gateway {
namespace {

constexpr std::size_t kMessages = 4;  // the router says little
const IpAddress kAllHosts = IpAddress::ip4(0xe0000001);

// The next hop, and the interface that it is on.
struct Route {
  unsigned interface_index = 0;
  nat::Gateway gateway;
  friend bool operator==(const Route&, const Route&) = default;
};

std::optional<Route> find_route() {
  const auto found = linux::default_route(Family::kIp4);
  if (!found || !found->gateway) {
    return std::nullopt;
  }
  const auto own = linux::own_address_towards(*found->gateway);
  return own ? std::optional(Route{found->interface_index, {*found->gateway, *own}}) : std::nullopt;
}

// A socket with its watch.
struct Ear {
  linux::LinkUdpSocket socket;
  std::optional<runtime::ReadableWatch> watch;
};

}  // namespace

struct PortMapper::State : std::enable_shared_from_this<State> {
  State(const Needs& use, std::uint16_t set_port, std::function<void()> on_moved)
      : needs(use),
        port(set_port),
        moved(std::move(on_moved)),
        machine(use.random, set_port),
        timer(use.io, [this](Time now) { perform(machine.on_deadline(now)); }),
        worker(use.io) {}

  void find_gateway() {
    auto now_route = find_route();
    if (now_route == route && (asking || !route)) {
      return;
    }
    route = now_route;
    asking.reset();
    announcements.reset();
    if (route) {
      open(asking, {.interface_index = route->interface_index, .group = std::nullopt},
           &nat::PortMapping::on_datagram);
      // Without it a restart of the router is noticed at the next renewal.
      open(announcements,
           {.interface_index = route->interface_index, .port = wire::kPcpClientPort, .group = kAllHosts},
           &nat::PortMapping::on_announcement);
    }
    perform(machine.on_gateway(route && asking ? std::optional(route->gateway) : std::nullopt, Clock::now()));
  }

  using Input = nat::MappingActions (nat::PortMapping::*)(const Endpoint&, Bytes, Time);
  void open(std::unique_ptr<Ear>& ear, const linux::LinkUdpOptions& options, Input input) {
    auto socket = linux::LinkUdpSocket::open(options);
    if (!socket) {
      needs.log.warning("port_mapping", {{"error", socket.error().text}});
      return;
    }
    ear = std::make_unique<Ear>(Ear{std::move(*socket), std::nullopt});
    ear->watch.emplace(needs.io, ear->socket.fd(), [this, &heard = *ear, input] {
      const auto received = heard.socket.receive(batch);
      for (const auto& datagram : received.datagrams) {
        perform((machine.*input)(datagram.source, datagram.payload, Clock::now()));
      }
    });
  }

  void perform(const nat::MappingActions& actions) {
    for (const auto& action : actions) {
      if (const auto* ask = std::get_if<nat::AskGateway>(&action)) {
        if (asking) {
          (void)asking->socket.send({route->gateway.address, wire::kPcpServerPort}, ask->bytes);
        }
      } else if (const auto* map = std::get_if<nat::MapByUpnp>(&action)) {
        map_on_worker(*map);
      } else if (const auto* unmap = std::get_if<nat::UnmapByUpnp>(&action)) {
        worker.run([wanted = UpnpPort{unmap->gateway.address, unmap->gateway.own, port,
                                      unmap->external_port}] { unmap_by_upnp(wanted); });
      } else if (std::holds_alternative<nat::MappingMoved>(action)) {
        tell();
      }
    }
    if (machine.status().state != told) {
      told = machine.status().state;
      needs.log.info("port_mapping", {{"text", machine.status().text}});
    }
    timer.arm(machine.next_deadline());
  }

  void map_on_worker(const nat::MapByUpnp& map) {
    worker.submit([wanted = UpnpPort{map.gateway.address, map.gateway.own, map.port, map.external_port},
                   lease = map.lease] { return map_by_upnp(wanted, lease); },
                  [weak = weak_from_this(), number = map.number](Result<Endpoint, Failure> mapped) {
                    if (const auto self = weak.lock(); self && !self->stopped) {
                      self->perform(self->machine.on_upnp(
                          mapped ? nat::UpnpAnswer{number, *mapped, {}}
                                 : nat::UpnpAnswer{number, std::nullopt, mapped.error().text},
                          Clock::now()));
                    }
                  });
  }

  void tell() {
    if (!stopped) {
      moved();
    }
  }

  void stop() {
    stopped = true;
    perform(machine.stop());
    timer.arm(kNever);
    asking.reset();
    announcements.reset();
  }

  Needs needs;
  std::uint16_t port;
  std::function<void()> moved;
  nat::PortMapping machine;
  linux::ReceiveBatch batch{kMessages};
  std::optional<Route> route;
  std::unique_ptr<Ear> asking;
  std::unique_ptr<Ear> announcements;
  runtime::MachineTimer timer;
  runtime::Worker worker;
  nat::MappingState told = nat::MappingState::kNoGateway;
  bool stopped = false;
};

PortMapper::PortMapper(const Needs& needs, std::uint16_t port, std::function<void()> moved)
    : state_(std::make_shared<State>(needs, port, std::move(moved))) {
  state_->find_gateway();
}

PortMapper::~PortMapper() { state_->stop(); }

void PortMapper::on_network_change() { state_->find_gateway(); }

const nat::MappingStatus& PortMapper::status() const { return state_->machine.status(); }

}  // namespace hearthcast::gateway
