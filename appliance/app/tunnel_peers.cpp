// The sockets and machines of foreign peers: opened once, at start. Nothing listens unless a peer is
// configured.
#include "appliance/app/tunnel_state.hpp"
#include "appliance/forward/clear_port.hpp"

namespace hearthcast::app {
namespace {

constexpr PeerPort kHeartbeats{.udp = 3740};

// The names of forms that carry IPv6 alone.
bool carries_ip4(const tunnel::StaticPeerSettings& settings) {
  return settings.encapsulation.form != tunnel::Form::kSixInFour;
}

}  // namespace

void TunnelService::State::make_peers() {
  ForeignPeers::Ports ports;
  ports.post = [this](forward::Down message) { (void)plane.post(std::move(message)); };
  ports.watch = [this](PeerId peer, const std::set<FlowKey>& flows, Time now) {
    sessions->watch(peer, flows, now);
  };
  peers = std::make_unique<ForeignPeers>(needs.log, std::move(ports));
}

void TunnelService::State::open_peers() {
  for (const PeerSettings& wanted : settings.peers) {
    const auto planned = plan(wanted);
    if (!planned) {
      continue;  // the settings were checked
    }
    const PeerId id = peers->add({.name = wanted.name,
                                  .encapsulation = wanted.encapsulation,
                                  .grants = planned->grants,
                                  .carries_ip4 = carries_ip4(planned->machine),
                                  .learnt = !planned->machine.endpoint.has_value(),
                                  .trouble = ""});
    if (const auto opened = open_peer(wanted, id); !opened) {
      peers->set_trouble(id, opened.error().text);
    } else {
      needs.log.warning("unsealed_peer",
                        {{"peer", wanted.name},
                         {"encapsulation", wanted.encapsulation},
                         {"text", "not encrypted: everybody on the way can see what it watches"}});
    }
  }
}

Result<void, Failure> TunnelService::State::open_peer(const PeerSettings& wanted, PeerId id) {
  auto planned = plan(wanted);
  if (!planned) {
    return planned.error();
  }
  if (!wanted.secret_file.empty()) {
    if (const auto read = read_secret(*planned, wanted.secret_file); !read) {
      return read.error();
    }
  }
  const auto port = open_peer_port(planned->port);
  if (!port) {
    return port.error();
  }
  if (planned->machine.heartbeat) {
    if (const auto heartbeats = open_peer_port(kHeartbeats); !heartbeats) {
      return heartbeats.error();
    }
  }
  auto peer = std::make_unique<tunnel::StaticPeer>(
      std::move(planned->machine), tunnel::StaticPeer::Tools{{needs.crypto, old_hashes}, needs.random});
  if (!plane.post(forward::AddClearPeer{id, *port, std::move(peer)})) {
    return Failure{"the data thread is behind"};
  }
  return boost::system::in_place_value;
}

// Once for all peers that share it.
Result<std::size_t, Failure> TunnelService::State::open_peer_port(const PeerPort& port) {
  if (const auto known = peer_ports.find(port); known != peer_ports.end()) {
    return known->second;
  }
  std::unique_ptr<forward::ClearPort> opened;
  if (port.udp != 0) {
    linux::UdpOptions options;
    options.port = port.udp;
    options.answer_from_addressed = true;
    auto udp = linux::UdpSocket::open(options);
    if (!udp) {
      return udp.error();
    }
    const auto use =
        port == kHeartbeats ? forward::ClearPort::Use::kHeartbeats : forward::ClearPort::Use::kTunnels;
    opened = std::make_unique<forward::ClearPort>(std::move(*udp), use);
  } else {
    auto fd = needs.netd.open_raw_ip(port.family, port.ip_protocol);
    if (!fd) {
      return fd.error();
    }
    opened = std::make_unique<forward::ClearPort>(linux::RawIpSocket(std::move(*fd), port.family));
  }
  const std::size_t number = peer_ports.size();
  if (!plane.post(forward::AddClearPort{number, std::move(opened)})) {
    return Failure{"the data thread is behind"};
  }
  peer_ports.emplace(port, number);
  return number;
}

}  // namespace hearthcast::app
