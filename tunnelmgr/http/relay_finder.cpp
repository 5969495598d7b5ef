#include "tunnelmgr/http/relay_finder.hpp"

#include <algorithm>
#include <boost/asio/ip/udp.hpp>
#include <utility>

#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/secure/tls_context.hpp"
#include "tunnelmgr/signalling/relay_url.hpp"

namespace hearthcast::http {

namespace asio = boost::asio;

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
int rank(const signalling::RelayUrl& url) {
  switch (url.transport) {
    case wire::TurnTransport::kUdp:
      return 0;
    case wire::TurnTransport::kTls:
      return 1;
    case wire::TurnTransport::kTcp:
      return 2;
  }
  return 3;
}

}  // namespace

// One name after the other. Let go, it calls nobody.
class RelaySearch : public std::enable_shared_from_this<RelaySearch> {
 public:
  RelaySearch(asio::io_context& io, std::vector<signalling::RelayUrl> urls, Family preferred,
              RelayFinder::Then then)
      : resolver_(io), urls_(std::move(urls)), preferred_(preferred), then_(std::move(then)) {}

  void ask() {
    if (next_ == urls_.size()) {
      then_(std::move(found_));
      return;
    }
    const auto& url = urls_[next_];
    resolver_.async_resolve(url.host, std::to_string(url.port),
                            [weak = weak_from_this()](const auto&, const Results& results) {
                              if (const auto self = weak.lock()) {
                                self->take(results);
                              }
                            });
  }

 private:
  using Results = asio::ip::udp::resolver::results_type;

  void take(const Results& results) {
    const auto& asked = urls_[next_++];
    if (const auto at = first_of(results)) {
      found_.push_back({*at, asked.transport, asked.host});
    }
    ask();
  }
  [[nodiscard]] std::optional<Endpoint> first_of(const Results& results) const {
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
  RelayFinder::Then then_;
  std::size_t next_ = 0;
  std::vector<wire::TurnServer> found_;
};

void RelayFinder::find(const std::vector<std::string>& texts, Then then) {
  std::vector<signalling::RelayUrl> urls;
  for (const auto& text : texts) {
    if (auto parsed = signalling::parse_relay_url(text)) {
      urls.push_back(std::move(*parsed));
    }
  }
  std::ranges::stable_sort(urls, {}, rank);
  search_.reset();
  const auto is_address = [](const signalling::RelayUrl& url) {
    return IpAddress::parse(url.host).has_value();
  };
  if (!std::ranges::all_of(urls, is_address)) {
    search_ = std::make_shared<RelaySearch>(io_, std::move(urls), family_to_relays(), std::move(then));
    search_->ask();
    return;
  }
  std::vector<wire::TurnServer> servers;
  servers.reserve(urls.size());
  for (const auto& url : urls) {
    servers.push_back({{*IpAddress::parse(url.host), url.port}, url.transport, url.host});
  }
  then(std::move(servers));
}

Result<std::shared_ptr<secure::TlsContext>, Failure> relay_tls(const std::optional<Sha256>& pin) {
  return pin ? secure::TlsContext::pinned_client(*pin) : secure::TlsContext::webpki_client();
}

}  // namespace hearthcast::http
