// The client's side of the relay: where it is, what it sends, and what comes through it.
#include <cassert>
#include <utility>

#include "tunnelmgr/away/client.hpp"
#include "tunnelmgr/secure/tls_context.hpp"
#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::away {

signalling::RelayPolicy Client::relay_policy() const {
  return parts_.relay == signalling::RelayPolicy::kAuto && introducer_ ? introducer_->relay_policy()
                                                                       : parts_.relay;
}

void Client::update_relay_policy(Time now) { perform(relay_.set_policy(relay_policy(), now), now); }

std::string Client::relay_text() const {
  const bool own = parts_.relay != signalling::RelayPolicy::kAuto;
  switch (relay_policy()) {
    case signalling::RelayPolicy::kNever:
      return own ? "forbidden by this device's settings" : "forbidden by the owner of the box";
    case signalling::RelayPolicy::kAlways:
      return own ? "always, by this device's settings" : "always, as the owner of the box wants";
    case signalling::RelayPolicy::kAuto:
      break;
  }
  return relay_.has_account() ? "where no direct path is found" : "none is offered by the rendezvous";
}

void Client::on_relays(const signalling::RelayAccess& access, Time now) {
  relay_finder_.find(access.urls, [this, access, until = now + std::chrono::seconds(access.lifetime_s),
                                   alive = alive_](std::vector<wire::TurnServer> servers) {
    if (!*alive) {
      return;
    }
    if (servers.empty()) {
      parts_.log.warning("relay", {{"error", "none that the rendezvous names can be found"}});
      return;
    }
    const Time found = Clock::now();
    perform(relay_.on_account({std::move(servers), access.username, access.password}, until - found, found),
            found);
    arm();
  });
}

void Client::perform(const nat::RelayActions& actions, Time now) {
  for (const auto& action : actions) {
    if (const auto* out = std::get_if<nat::RelaySend>(&action)) {
      if (out->on_stream) {
        post(datapath::SendToRelay{out->bytes});
      } else {
        (void)parts_.socket.send(out->to, out->bytes);
      }
    } else if (const auto* connect = std::get_if<nat::RelayConnect>(&action)) {
      connect_relay(*connect, now);
    } else if (const auto* came = std::get_if<nat::RelayArrived>(&action)) {
      on_behind_relay(came->from, came->bytes, now);
    } else if (const auto* failed = std::get_if<nat::RelayFailed>(&action)) {
      parts_.log.warning("relay", {{"error", failed->reason}});
    } else {
      on_relay_changed(now);
    }
  }
}

void Client::connect_relay(const nat::RelayConnect& connect, Time now) {
  std::shared_ptr<secure::TlsContext> tls;
  if (connect.server.transport == wire::TurnTransport::kTls) {
    assert(box_ && box_->rendezvous);  // which gave the account
    auto made = http::relay_tls(box_->rendezvous->pin);
    if (!made) {
      perform(relay_.on_stream(connect.id, false, made.error().text, now), now);
      return;
    }
    tls = std::move(*made);
  }
  post(datapath::OpenRelayStream{connect.id, connect.server.endpoint, std::move(tls), connect.server.host});
}

void Client::on_relay_changed(Time now) {
  const auto server = relay_.server();
  if (!server || relay_.transport() == wire::TurnTransport::kUdp) {  // a stream stays as it is
    post(datapath::SetRelay{server});
  }
  if (const auto relayed = relay_.relayed()) {
    const auto relayed6 = relay_.relayed6();
    parts_.log.info("relay", {{"endpoint", relayed->to_string()},
                              {"endpoint6", relayed6 ? relayed6->to_string() : "none"},
                              {"server", server->to_string()},
                              {"transport", to_string(relay_.transport())}});
  }
  update_candidates(now);
}

// Where this end is behind its relay.
std::vector<Endpoint> Client::relayed() const {
  std::vector<Endpoint> at;
  for (const auto& relayed : {relay_.relayed(), relay_.relayed6()}) {
    if (relayed) {
      at.push_back(*relayed);
    }
  }
  return at;
}

// Before the channel is bound; afterwards the data thread unwraps.
void Client::on_behind_relay(const Endpoint& from, Bytes datagram, Time now) {
  if (!link_) {
    return;
  }
  if (wire::classify(datagram) == wire::DatagramKind::kDtls) {
    link_->on_handshake(from, datagram, now);
  } else if (const auto decoded = wire::decode_stun(datagram)) {
    link_->on_stun(from, datagram, *decoded, now);
  }
}

// This end's, or one that the box is behind.
bool Client::is_relayed(const Endpoint& path) const {
  return wire::channel_of(path) || (link_ && link_->agent().selected() == path &&
                                    link_->agent().selected_type() == nat::CandidateType::kRelayed);
}

std::string Client::relayed_because(const Endpoint& path) const {
  return is_relayed(path) ? relay_.reason(path, presence_.mapped()) : std::string();
}

std::string Client::name_of(const Endpoint& path) const {
  if (!is_relayed(path)) {
    return path.to_string();
  }
  const auto server = wire::channel_of(path) ? relay_.server() : std::optional(path);
  return "the relay " + (server ? server->to_string() : std::string("that is gone")) +
         " (relayed: " + relayed_because(path) + ")";
}

}  // namespace hearthcast::away
