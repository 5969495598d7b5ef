// The client's side of the relay: where it is, what it sends, and what comes through it.
#include <algorithm>
#include <boost/asio/ip/udp.hpp>
#include <utility>

#include "tunnelmgr/away/client.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/secure/tls_context.hpp"
#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::away {

namespace asio = boost::asio;

// Finds the addresses of relays, one name after the other. Destroyed, it calls nobody.
class RelayResolver {
 public:
  using Then = std::function<void(std::vector<RelayServer>)>;

  RelayResolver(asio::io_context& io, std::vector<signalling::RelayUrl> urls, Family preferred, Then then)
      : resolver_(io), urls_(std::move(urls)), preferred_(preferred), then_(std::move(then)) {
    ask();
  }

 private:
  void ask() {
    if (next_ == urls_.size()) {
      then_(std::move(found_));
      return;
    }
    const auto& url = urls_[next_];
    resolver_.async_resolve(
        url.host, std::to_string(url.port),
        [this](const boost::system::error_code& error, const asio::ip::udp::resolver::results_type& results) {
          if (error == asio::error::operation_aborted) {
            return;  // this is gone
          }
          const auto& asked = urls_[next_++];
          if (const auto at = first_of(results)) {
            found_.push_back({*at, asked.transport, asked.host});
          }
          ask();
        });
  }
  [[nodiscard]] std::optional<Endpoint> first_of(const asio::ip::udp::resolver::results_type& results) const {
    std::optional<Endpoint> found;
    for (const auto& entry : results) {
      const auto address = IpAddress::parse(entry.endpoint().address().to_string());
      if (address && (!found || (address->family() == preferred_ && found->address.family() != preferred_))) {
        found = Endpoint{*address, entry.endpoint().port()};
      }
    }
    return found;
  }

  asio::ip::udp::resolver resolver_;
  std::vector<signalling::RelayUrl> urls_;
  Family preferred_;
  Then then_;
  std::size_t next_ = 0;
  std::vector<RelayServer> found_;
};

namespace {

// By which a relay of both families is spoken to: IPv4 where there is any, since it is what most networks
// that need a relay have thought of. The families of what it relays do not follow from that.
Family family_to_relays() {
  const auto interfaces = linux::list_interfaces();
  const auto has_ip4 = [](const linux::Interface& interface) {
    return interface.up && !interface.loopback &&
           std::ranges::any_of(interface.addresses, [](const auto& at) {
             return at.address.is_ip4() && !at.address.is_link_local();
           });
  };
  return !interfaces || std::ranges::any_of(*interfaces, has_ip4) ? Family::kIp4 : Family::kIp6;
}

// UDP is best for media; where it is blocked, TLS on 443 passes more often than TCP.
int rank(signalling::RelayUrl::Transport transport) {
  switch (transport) {
    case signalling::RelayUrl::Transport::kUdp:
      return 0;
    case signalling::RelayUrl::Transport::kTls:
      return 1;
    case signalling::RelayUrl::Transport::kTcp:
      return 2;
  }
  return 3;
}

}  // namespace

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
  std::vector<signalling::RelayUrl> urls;
  for (const auto& text : access.urls) {
    if (auto parsed = signalling::parse_relay_url(text)) {
      urls.push_back(std::move(*parsed));
    }
  }
  std::ranges::stable_sort(urls, {}, [](const signalling::RelayUrl& url) { return rank(url.transport); });
  const RelayAccount account{{}, access.username, access.password};
  const Time until = now + std::chrono::seconds(access.lifetime_s);
  const bool all_addresses =
      std::ranges::all_of(urls, [](const auto& url) { return IpAddress::parse(url.host).has_value(); });
  if (all_addresses) {  // an answer of the resolver would come later
    std::vector<RelayServer> servers;
    servers.reserve(urls.size());
    for (const auto& url : urls) {
      servers.push_back({{*IpAddress::parse(url.host), url.port}, url.transport, url.host});
    }
    on_relays_found(account, std::move(servers), until, now);
    return;
  }
  resolver_ = std::make_shared<RelayResolver>(
      parts_.io, std::move(urls), family_to_relays(),
      [this, account, until, alive = alive_](std::vector<RelayServer> servers) {
        if (*alive) {
          on_relays_found(account, std::move(servers), until, Clock::now());
          arm();
        }
      });
}

void Client::on_relays_found(RelayAccount account, std::vector<RelayServer> servers, Time until, Time now) {
  if (servers.empty()) {
    parts_.log.warning("relay", {{"error", "none that the rendezvous names can be found"}});
    return;
  }
  account.servers = std::move(servers);
  perform(relay_.on_account(std::move(account), until - now, now), now);
}

void Client::perform(const RelayActions& actions, Time now) {
  for (const auto& action : actions) {
    if (const auto* out = std::get_if<RelaySend>(&action)) {
      if (out->on_stream) {
        post(datapath::SendToRelay{out->bytes});
      } else {
        (void)parts_.socket.send(out->to, out->bytes);
      }
    } else if (const auto* connect = std::get_if<RelayConnect>(&action)) {
      connect_relay(*connect, now);
    } else if (const auto* came = std::get_if<RelayArrived>(&action)) {
      on_behind_relay(came->from, came->bytes, now);
    } else if (const auto* failed = std::get_if<RelayFailed>(&action)) {
      parts_.log.warning("relay", {{"error", failed->reason}});
    } else {
      on_relay_changed(now);
    }
  }
}

// A relay on TLS shows the rendezvous' own key, or a certificate of the system's authorities, as the
// rendezvous does. What is said inside proves itself, and media are sealed for the box.
void Client::connect_relay(const RelayConnect& connect, Time now) {
  std::shared_ptr<secure::TlsContext> tls;
  if (connect.server.transport == RelayTransport::kTls) {
    const auto& pin = box_->rendezvous->pin;
    auto made = pin ? secure::TlsContext::pinned_client(*pin) : secure::TlsContext::webpki_client();
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
  if (!server || relay_.transport() == RelayTransport::kUdp) {  // a stream stays as it is
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

std::string Client::relayed_because(const Endpoint& path) const {
  return wire::channel_of(path) ? relay_.reason(path, presence_.mapped()) : std::string();
}

std::string Client::name_of(const Endpoint& path) const {
  if (!wire::channel_of(path)) {
    return path.to_string();
  }
  const auto server = relay_.server();
  return "the relay " + (server ? server->to_string() : std::string("that is gone")) +
         " (relayed: " + relayed_because(path) + ")";
}

}  // namespace hearthcast::away
