// The box's own place inside the tunnels: what it needs of the machine, and how the API shows it.
#include <utility>

#include "appliance/app/tunnel_state.hpp"

namespace hearthcast::app {

void TunnelService::State::make_inside() {
  auto& netd = needs.netd;
  BoxInterfacePorts ports;
  ports.open_tun = [&netd](unsigned mtu) { return netd.open_tun(mtu); };
  ports.add_address = [&netd](int tun, const IpAddress& address, unsigned length) {
    return netd.add_tun_address(tun, address, length);
  };
  ports.remove_address = [&netd](int tun, const IpAddress& address, unsigned length) {
    static_cast<void>(netd.remove_tun_address(tun, address, length));
  };
  ports.add_route = [&netd](int tun, const Prefix& to) { return netd.add_tun_route(tun, to); };
  ports.remove_route = [&netd](int tun, const Prefix& to) {
    static_cast<void>(netd.remove_tun_route(tun, to));
  };
  ports.post = [this](forward::Down message) { (void)plane.post(std::move(message)); };
  ports.interfaces = [this] { return upstream.interfaces(); };
  inside = std::make_unique<BoxInterface>(std::move(ports), needs.log);
}

void TunnelService::serve_inside(std::vector<std::uint16_t> tcp_ports) {
  state_->inside->serve(std::move(tcp_ports), Clock::now());
}

api::TunnelInterfaceLive TunnelService::State::inside_live() const {
  using Live = api::TunnelInterfaceLive;
  Live live;
  if (!inside->serves() && inside->name().empty()) {
    return live;
  }
  live.devices = inside->devices();
  live.interface = inside->name();
  if (const auto* statistics = sessions->statistics()) {
    const forward::InnerCounters& counted = statistics->inner;
    live.packets_in = counted.to_box;
    live.packets_out = counted.from_box;
    live.home_packets_in = counted.to_home;
    live.home_packets_out = counted.from_home;
    live.home_connections = statistics->home.open;
    live.drops = {{"refused", counted.refused},
                  {"prohibited", counted.prohibited},
                  {"home_refused", statistics->home.refused},
                  {"spoofed", counted.spoofed},
                  {"kept_here", counted.kept_here},
                  {"dropped", counted.dropped}};
  }
  if (!inside->trouble().empty()) {
    live.state = Live::State::kFailed;
    live.text = inside->trouble();
  } else if (live.devices == 0) {
    live.state = Live::State::kIdle;
    live.text = "No device with a network interface of its own (hearthcast-away --tun) is connected.";
  } else {
    live.state = Live::State::kUp;
    live.text = (live.devices == 1 ? "One device reaches" : std::to_string(live.devices) + " devices reach") +
                std::string(inside->serves() ? " the web page inside the tunnel, by "
                                             : " hosts at home through the tunnel, by ") +
                live.interface + ".";
  }
  return live;
}

}  // namespace hearthcast::app
