// TunnelService's relay: where it is, what goes there, and what comes through it.
#include <utility>

#include "appliance/app/tunnel_state.hpp"
#include "tunnelmgr/secure/tls_context.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"
#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::app {

void TunnelService::State::send(const Endpoint& to, Bytes datagram) {
  if (wire::channel_of(to)) {
    const Time now = Clock::now();
    perform(relay.held().send(to, datagram, now), now);
  } else {
    (void)socket.send(to, datagram);
  }
}

void TunnelService::State::on_relays(const signalling::RelayAccess& access) {
  const Time until = Clock::now() + std::chrono::seconds(access.lifetime_s);
  relay_finder.find(access.urls, [this, access, until](std::vector<wire::TurnServer> servers) {
    if (stopped) {
      return;
    }
    if (servers.empty()) {
      needs.log.warning("relay", {{"error", "none that the rendezvous names can be found"}});
      return;
    }
    const Time now = Clock::now();
    perform(relay.on_account({std::move(servers), access.username, access.password}, until - now, now), now);
    arm();
  });
}

bool TunnelService::State::on_relay_up(const forward::Up& message, Time now) {
  if (const auto* changed = std::get_if<datapath::RelayStreamChanged>(&message)) {
    perform(relay.held().on_stream(changed->id, changed->open, changed->reason, now), now);
    return true;
  }
  const auto* stun = std::get_if<datapath::StunReceived>(&message);
  if (stun == nullptr || relay.held().server() != stun->from) {
    return false;
  }
  const auto decoded = wire::decode_stun(stun->datagram);
  if (!decoded || !relay.held().takes(stun->from, *decoded)) {
    return false;
  }
  perform(relay.held().on_stun(stun->datagram, *decoded, now), now);
  return true;
}

void TunnelService::State::perform(const nat::RelayActions& actions, Time now) {
  for (const auto& action : actions) {
    if (const auto* out = std::get_if<nat::RelaySend>(&action)) {
      if (out->on_stream) {
        (void)plane.post(datapath::SendToRelay{out->bytes});
      } else {
        (void)socket.send(out->to, out->bytes);
      }
    } else if (const auto* connect = std::get_if<nat::RelayConnect>(&action)) {
      connect_relay(*connect, now);
    } else if (const auto* came = std::get_if<nat::RelayArrived>(&action)) {
      // Before the channel is bound; afterwards the data thread unwraps.
      if (wire::classify(came->bytes) == wire::DatagramKind::kDtls) {
        sessions->on_up(datapath::HandshakeReceived{came->from, {}, came->bytes}, now);
      } else {
        sessions->on_up(datapath::StunReceived{came->from, came->bytes}, now);
      }
    } else if (const auto* failed = std::get_if<nat::RelayFailed>(&action)) {
      relay_trouble = failed->reason;
      needs.log.warning("relay", {{"error", failed->reason}});
    } else {
      on_relay_changed();
    }
  }
}

void TunnelService::State::connect_relay(const nat::RelayConnect& connect, Time now) {
  std::shared_ptr<secure::TlsContext> tls;
  if (connect.server.transport == wire::TurnTransport::kTls) {
    auto made = http::relay_tls(settings.rendezvous->pin);
    if (!made) {
      perform(relay.held().on_stream(connect.id, false, made.error().text, now), now);
      return;
    }
    tls = std::move(*made);
  }
  (void)plane.post(
      datapath::OpenRelayStream{connect.id, connect.server.endpoint, std::move(tls), connect.server.host});
}

void TunnelService::State::on_relay_changed() {
  const auto server = relay.held().server();
  if (!server || !relay.held().by_stream()) {  // a stream stays as it is
    (void)plane.post(datapath::SetRelay{server});
  }
  if (const auto relayed = relay.held().relayed()) {
    relay_trouble.clear();
    const auto relayed6 = relay.held().relayed6();
    needs.log.info("relay", {{"endpoint", relayed->to_string()},
                             {"endpoint6", relayed6 ? relayed6->to_string() : "none"},
                             {"server", server->to_string()},
                             {"transport", to_string(relay.held().transport())}});
  }
}

// Where those devices are that are behind the relay, and why they are, should they not say so.
void TunnelService::State::show_relay(std::vector<DeviceStatus>& devices) const {
  for (DeviceStatus& device : devices) {
    if (!device.path || !wire::channel_of(*device.path)) {
      continue;
    }
    if (const auto peer = relay.held().peer(*device.path)) {
      device.path = peer;
    }
    if (device.relayed_because.empty()) {
      device.relayed_because = relay.reason();
    }
  }
}

RelayWay TunnelService::State::relay_way() const {
  RelayWay way{.needed = relay.needed(), .reason = relay.reason()};
  if (relay.held().relayed()) {
    way.server = relay.held().server();
    way.transport = relay.held().transport();
  } else if (settings.relay == signalling::RelayPolicy::kNever) {
    way.trouble = "relays are forbidden (network.relay)";
  } else {
    way.trouble = relay.held().has_account() ? relay_trouble : "the rendezvous offers no relay";
  }
  return way;
}

}  // namespace hearthcast::app
