// What a client of a rendezvous does with the relays that were offered to it: finds their addresses, and
// makes the TLS by which it connects to them. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/wire/turn_server.hpp"

namespace hearthcast::secure {
class TlsContext;
}

namespace hearthcast::http {

class RelaySearch;  // relay_finder.cpp

class RelayFinder {
 public:
  // In the order in which they are to be tried; empty: none can be found.
  using Then = std::function<void(std::vector<wire::TurnServer>)>;

  explicit RelayFinder(boost::asio::io_context& io) : io_(io) {}
  RelayFinder(const RelayFinder&) = delete;
  RelayFinder& operator=(const RelayFinder&) = delete;

  // Instead of what was asked before. urls: signalling/relay_url.hpp, others are passed over. `then` is
  // called from in here where they all name addresses, else later, and not after this is gone.
  void find(const std::vector<std::string>& urls, Then then);

  void forget() { search_.reset(); }  // what was asked: nobody is called

 private:
  boost::asio::io_context& io_;
  std::shared_ptr<RelaySearch> search_;  // its questions in flight know it weakly
};

// A relay on TLS shows the rendezvous' own key, or a certificate of the system's authorities, as the
// rendezvous does (pin: of its key). What is said inside proves itself, and media are sealed for the peer.
[[nodiscard]] Result<std::shared_ptr<secure::TlsContext>, Failure> relay_tls(
    const std::optional<Sha256>& pin);

}  // namespace hearthcast::http
