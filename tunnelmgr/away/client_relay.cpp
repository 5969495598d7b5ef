// The client's side of the relay: where it is, what it sends, and what comes through it.
#include <boost/asio/ip/udp.hpp>
#include <utility>

#include "tunnelmgr/away/client.hpp"
#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::away {

namespace asio = boost::asio;

// Asks for one name. Destroyed, it calls nobody.
class RelayResolver {
 public:
  template <class Then>
  RelayResolver(asio::io_context& io, const signalling::RelayUrl& url, Then then) : resolver_(io) {
    resolver_.async_resolve(
        url.host, std::to_string(url.port),
        [then = std::move(then)](const boost::system::error_code& error,
                                 const asio::ip::udp::resolver::results_type& results) mutable {
          if (error != asio::error::operation_aborted) {
            then(first_of(results));
          }
        });
  }

 private:
  // IPv4 first: the allocation is of that family, and so are most of the networks that need one.
  static std::optional<Endpoint> first_of(const asio::ip::udp::resolver::results_type& results) {
    std::optional<Endpoint> found;
    for (const auto& entry : results) {
      const auto address = IpAddress::parse(entry.endpoint().address().to_string());
      if (address && (!found || (address->is_ip4() && found->address.is_ip6()))) {
        found = Endpoint{*address, entry.endpoint().port()};
      }
    }
    return found;
  }

  asio::ip::udp::resolver resolver_;
};

void Client::on_relays(const signalling::RelayAccess& access, Time now) {
  std::optional<signalling::RelayUrl> url;
  for (const auto& text : access.urls) {
    const auto parsed = signalling::parse_relay_url(text);
    if (parsed && parsed->transport == signalling::RelayUrl::Transport::kUdp && !url) {
      url = parsed;
    }
  }
  if (!url) {
    parts_.log.info("relay", {{"error", "the rendezvous names none that is spoken to over UDP"}});
    return;
  }
  nat::TurnAccount account;
  account.username = access.username;
  account.password = access.password;
  const Duration lifetime = std::chrono::seconds(access.lifetime_s);
  if (const auto address = IpAddress::parse(url->host)) {
    account.server = {*address, url->port};
    perform(relay_.on_account(std::move(account), lifetime, now), now);
    return;
  }
  resolver_ = std::make_shared<RelayResolver>(
      parts_.io, *url,
      [this, account, lifetime, alive = alive_](const std::optional<Endpoint>& server) mutable {
        if (!*alive) {
          return;
        }
        if (!server) {
          parts_.log.warning("relay", {{"error", "its name is not known"}});
          return;
        }
        account.server = *server;
        const Time at = Clock::now();
        perform(relay_.on_account(std::move(account), lifetime, at), at);
        arm();
      });
}

void Client::perform(const RelayActions& actions, Time now) {
  for (const auto& action : actions) {
    if (const auto* out = std::get_if<RelaySend>(&action)) {
      (void)parts_.socket.send(out->to, out->bytes);
    } else if (const auto* came = std::get_if<RelayArrived>(&action)) {
      on_behind_relay(came->from, came->bytes, now);
    } else if (const auto* failed = std::get_if<RelayFailed>(&action)) {
      parts_.log.warning("relay", {{"error", failed->reason}});
    } else {
      on_relay_changed(now);
    }
  }
}

void Client::on_relay_changed(Time now) {
  post(datapath::SetRelay{relay_.server()});
  if (const auto relayed = relay_.relayed()) {
    parts_.log.info("relay", {{"endpoint", relayed->to_string()}, {"server", relay_.server()->to_string()}});
  }
  update_candidates(now);
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

std::string Client::name_of(const Endpoint& path) const {
  if (!wire::channel_of(path)) {
    return path.to_string();
  }
  const auto server = relay_.server();
  return "the relay " + (server ? server->to_string() : std::string("that is gone")) +
         " (relayed: " + relay_.reason(path, presence_.mapped()) + ")";
}

}  // namespace hearthcast::away
